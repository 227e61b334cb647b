import { CANDLE_VERSION } from '../market/candle.ts';
import { MOVE_VERSION } from '../market/directional-change.ts';
import { INDEX_FIELDS, type IndexFieldKind } from '../market/index-fields.ts';
import { CANDLE_INDICES, MOVES_INDEX, TICKER_INDICES } from '../market/index-names.ts';
import { CATEGORIES } from '../market/series.ts';
import { EXCHANGE_PATTERN, MAX_TEXT, TICKER_VERSION } from '../market/ticker.ts';
import { COLUMN_TABLES, type ColumnKind, type ColumnTable, columnsOf } from './tables.ts';

/** The schema of a record, for readers without this project: JSON Schema 2020-12. */
export interface RecordSchema {
  $schema: string;
  title: string;
  description: string;
  type: 'object';
  properties: Record<string, object>;
  required: string[];
}

interface RecordKind {
  fields: Readonly<Record<string, IndexFieldKind>>;
  version: number;
  description: string;
  /** Fields that a record may lack. */
  optional: (field: string, kind: IndexFieldKind) => boolean;
}

const oneOf =
  (...names: string[]) =>
  (field: string) =>
    names.includes(field);
const TICKER_REQUIRED = oneOf(
  ...['v', 'exchange', 'category', 'symbol', 'slot', 'timestamp', 'received_at', 'last_price'],
);

const RECORDS = {
  ticker: {
    fields: INDEX_FIELDS[TICKER_INDICES],
    version: TICKER_VERSION,
    description: 'One series in one poll: a line of the objects under tickers/.',
    optional: (field) => !TICKER_REQUIRED(field),
  },
  candle: {
    fields: INDEX_FIELDS[CANDLE_INDICES],
    version: CANDLE_VERSION,
    description: 'One series in one hour, or in one day where only daily history exists.',
    optional: oneOf('base', 'quote', 'volume', 'turnover', 'polls_due', 'log_return'),
  },
  move: {
    fields: INDEX_FIELDS[MOVES_INDEX],
    version: MOVE_VERSION,
    description:
      'One directional change of one series at one threshold; while it is under way, it has no end and no size.',
    optional: oneOf('to_price', 'to_time', 'size'),
  },
} as const satisfies Record<string, RecordKind>;

type RecordName = keyof typeof RECORDS;

const KINDS: Record<Exclude<ColumnKind, 'version'>, object> = {
  name: { type: 'string', minLength: 1 },
  text: { type: 'string', minLength: 1, maxLength: MAX_TEXT },
  price: { type: 'number', exclusiveMinimum: 0, description: 'In the quote currency.' },
  number: { type: 'number' },
  fraction: { type: 'number', description: 'A fraction: 0.01 is 1 %.' },
  count: { type: 'integer', minimum: 0 },
  time: {
    type: 'string',
    format: 'date-time',
    pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`,
    description: 'ISO 8601, UTC, with milliseconds.',
  },
  path: {
    type: 'array',
    description: 'The prices in time order: milliseconds since the start, and the price.',
    items: {
      type: 'array',
      prefixItems: [
        { type: 'integer', minimum: 0 },
        { type: 'number', exclusiveMinimum: 0 },
      ],
      minItems: 2,
      maxItems: 2,
    },
  },
};

const BY_NAME: Readonly<Record<string, object>> = {
  exchange: { type: 'string', pattern: EXCHANGE_PATTERN.source },
  category: { enum: [...CATEGORIES] },
  log_return: { type: 'number', description: 'ln(close / close of the candle just before).' },
};

export function recordSchema(name: RecordName): RecordSchema {
  const { fields, version, description, optional }: RecordKind = RECORDS[name];
  const kinds: Record<string, ColumnKind> = name === 'candle' ? { ...fields, path: 'path' } : { ...fields };
  const schemaOf = (field: string, kind: ColumnKind) =>
    BY_NAME[field] ?? (kind === 'version' ? { const: version } : KINDS[kind]);
  const entries = Object.entries(kinds);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: name,
    description: `${description} Absent values are left out. A later version may have more fields.`,
    type: 'object',
    properties: Object.fromEntries(entries.map(([field, kind]) => [field, schemaOf(field, kind)])),
    required: entries
      .map(([field]) => field)
      .filter((field) => !optional(field, kinds[field] as IndexFieldKind)),
  };
}

const PARQUET_TYPES: Record<Exclude<ColumnKind, 'path'>, (name: string) => string> = {
  version: (name) => `int32 ${name} (INTEGER(32,true))`,
  count: (name) => `int32 ${name} (INTEGER(32,true))`,
  name: (name) => `binary ${name} (STRING)`,
  text: (name) => `binary ${name} (STRING)`,
  price: (name) => `double ${name}`,
  number: (name) => `double ${name}`,
  fraction: (name) => `double ${name}`,
  time: (name) => `int64 ${name} (TIMESTAMP(MICROS,true))`,
};

/** The schema of a table's files, as tools for Parquet print it. */
export function parquetSchema(table: ColumnTable): string {
  const columns = Object.entries(columnsOf(table)).flatMap(([name, kind]) =>
    kind === 'path' ? pathGroup(name) : [`optional ${PARQUET_TYPES[kind](name)};`],
  );
  return `message ${table} {\n${columns.map((line) => `  ${line}\n`).join('')}}\n`;
}

function pathGroup(name: string): string[] {
  return [
    `optional group ${name} (LIST) {`,
    '  repeated group list {',
    '    optional group element {',
    `      optional ${PARQUET_TYPES.count('offset_ms')};`,
    `      optional ${PARQUET_TYPES.price('price')};`,
    '    }',
    '  }',
    '}',
  ];
}

/** The committed files, by their names in `schemas/`. */
export function schemaFiles(): Record<string, string> {
  const records = (Object.keys(RECORDS) as RecordName[]).map((name) => [
    `${name}.schema.json`,
    `${JSON.stringify(recordSchema(name), null, 2)}\n`,
  ]);
  const tables = COLUMN_TABLES.map((table) => [`${table}.parquet.txt`, parquetSchema(table)]);
  return Object.fromEntries([...records, ...tables]);
}

/**
 * What readers of an older schema of a record could no longer rely on: a field that is gone or means something else, or that
 * may be absent now; and what would make older records invalid: a field that they need not have. None if it has another version.
 */
export function breakingRecordChanges(older: RecordSchema, newer: RecordSchema): string[] {
  if (!isSame(older.properties.v, newer.properties.v)) return [];
  const changes = Object.entries(older.properties).flatMap(([field, schema]) => {
    const now = newer.properties[field];
    if (!now) return [`${field} is gone`];
    return isSame(schema, now) ? [] : [`${field} is ${meaningOf(now)}, was ${meaningOf(schema)}`];
  });
  const optional = older.required.filter(
    (field) => newer.properties[field] && !newer.required.includes(field),
  );
  const required = newer.required.filter((field) => !older.required.includes(field));
  return [
    ...changes,
    ...optional.map((field) => `${field} may be absent`),
    ...required.map((field) => `${field} is required`),
  ];
}

/** The same for columns of a table: one that is gone, or has another type. */
export function breakingColumnChanges(older: string, newer: string): string[] {
  const [before, after] = [columnTypes(older), columnTypes(newer)];
  return Object.entries(before).flatMap(([name, type]) => {
    if (after[name] === undefined) return [`${name} is gone`];
    return after[name] === type ? [] : [`${name} is ${after[name]}, was ${type}`];
  });
}

/** A schema's columns at any depth. */
function columnTypes(message: string): Record<string, string> {
  const columns = [...message.matchAll(/^ *(\w+ \w+) (\w+)( \(.+\))?(?:;| \{)$/gm)];
  return Object.fromEntries(columns.map(([, type, name, logical = '']) => [name, `${type}${logical}`]));
}

/** Without what is only for people. */
function meaningOf(schema: object | undefined): string {
  const { description: _, ...rest } = { description: '', ...schema };
  return JSON.stringify(rest);
}

const isSame = (one: object | undefined, other: object | undefined) => meaningOf(one) === meaningOf(other);
