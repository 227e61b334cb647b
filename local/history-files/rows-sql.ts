import { DAY_MS } from '../../core/market/time.ts';
import { quoted } from '../../stores/duckdb/sql-text.ts';
import type { Role } from './columns.ts';
import { formatOf } from './formats.ts';
import type { Layout, TextLayout } from './layout.ts';

/** What can be wrong with a row, by the number that stands for it in SQL. The first that applies counts. */
export const FAULTS = [
  'none',
  'noPrice',
  'time',
  'symbol',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'turnover',
  'order',
  'future',
  'past',
] as const;
export type Fault = (typeof FAULTS)[number];

/** No cryptocurrency is older than Bitcoin's first block. */
export const FIRST_MS = Date.UTC(2009, 0, 3);

/** What stands for an absent value. */
const ABSENT = '(?i)\\s*(|null|nan|none|na|n/a|nil|-|–|—)\\s*';

function columnName(index: number): string {
  return `c${index}`;
}

/** Reads separated values; every column is text, so that we decide what it means. */
export function readText(path: string, layout: TextLayout, isStrict: boolean): string {
  const columns = layout.names.map((_, index) => `${columnName(index)}: 'VARCHAR'`).join(', ');
  const options = {
    columns: `{${columns}}`,
    auto_detect: false,
    header: false,
    skip: layout.skip,
    delim: quoted(layout.separator),
    quote: `'"'`,
    escape: `'"'`,
    encoding: quoted(layout.encoding),
    strict_mode: isStrict,
    buffer_size: 4_000_000,
  };
  const list = Object.entries(options).map(([name, value]) => `${name} = ${value}`);
  return `SELECT * FROM read_csv(${quoted(path)}, ${list.join(', ')})`;
}

export function readJsonLines(path: string, layout: Layout): string {
  const columns = layout.names.map((name) => `"${name.replaceAll('"', '""')}": 'VARCHAR'`).join(', ');
  const read = `read_json(${quoted(path)}, format = 'newline_delimited', maximum_object_size = 1000000, columns = {${columns}})`;
  return `SELECT ${renamed(layout)} FROM ${read}`;
}

export function readParquet(path: string, layout: Layout): string {
  return `SELECT ${renamed(layout)} FROM read_parquet(${quoted(path)})`;
}

function renamed({ names }: Layout): string {
  return names
    .map((name, index) => `CAST("${name.replaceAll('"', '""')}" AS VARCHAR) AS ${columnName(index)}`)
    .join(', ');
}

export interface StagedFile {
  /** Its position among the files. */
  file: number;
  /** {@link readText} or the like. */
  read: string;
  layout: Layout;
  /** The symbol of all rows; undefined if a column names it. */
  symbol: string | undefined;
  nowMs: number;
}

/**
 * Every row of a file with what it means: `file, n, symbol, start_us, span_us, open, high, low, close, volume, turnover,
 * fault`. `n` counts rows from 1.
 */
export function stagedRows({ file, read, layout, symbol, nowMs }: StagedFile): string {
  const { columns, format } = layout;
  const text = (role: Role) => (columns[role] === undefined ? 'NULL' : columnName(columns[role]));
  const price = (role: Role) => (columns.price === undefined ? text(role) : text('price'));
  const prices = ['open', 'high', 'low', 'close'] as const;
  const isEndOfDay =
    formatOf(format).timeIsEndOfDay && layout.names[columns.time ?? -1]?.toLowerCase() === 'timestamp';
  const time = timeOf(text('time'), 'time_number');
  const dayUs = DAY_MS * 1_000;
  const number = (value: string) => `try_cast(${value} AS DOUBLE)`;
  const unreadable = (value: string, parsed: string, isRight: string) =>
    `NOT coalesce(isfinite(${parsed}) AND ${parsed} ${isRight}, false)${isRight === '>= 0' ? ` AND NOT ${isAbsent(value, parsed)}` : ''}`;
  const checks: [Fault, string][] = [
    ['noPrice', prices.map((role) => isAbsent(`${role}_text`, role)).join(' OR ')],
    ['time', 'start_us IS NULL'],
    ['symbol', `coalesce(symbol, '') = ''`],
    ...prices.map((role): [Fault, string] => [role, unreadable(`${role}_text`, role, '> 0')]),
    ['volume', unreadable('volume_text', 'volume', '>= 0')],
    ['turnover', unreadable('turnover_text', 'turnover', '>= 0')],
    ['order', 'low > least(open, close) OR high < greatest(open, close)'],
    ['future', `start_us > ${nowMs * 1_000}`],
    ['past', `start_us < ${FIRST_MS * 1_000}`],
  ];
  const fault = checks.map(([name, isSo]) => `WHEN ${isSo} THEN ${FAULTS.indexOf(name)}`).join('\n');
  const texts = [
    ...prices.map((role) => `${price(role)} AS ${role}_text`),
    `${text('volume')} AS volume_text`,
    `${text('turnover')} AS turnover_text`,
  ];
  const amount = (name: string) => `CASE WHEN isfinite(${name}) THEN ${name} END AS ${name}`;
  return `
WITH raw AS (
  SELECT row_number() OVER () AS n, *, try_cast(${text('time')} AS BIGINT) AS time_number,
    try_cast(${text('closeTime')} AS BIGINT) AS end_number
  FROM (${read})
), named AS (
  SELECT n, ${symbol === undefined ? `trim(${text('symbol')})` : quoted(symbol)} AS symbol,
    ${isEndOfDay ? `${time} // ${dayUs} * ${dayUs}` : time} AS start_us,
    ${columns.closeTime === undefined ? 'NULL' : timeOf(text('closeTime'), 'end_number')} AS end_us,
    ${texts.join(', ')},
    ${prices.map((role) => `${number(price(role))} AS ${role}`).join(', ')},
    ${number(text('volume'))} AS volume, ${number(text('turnover'))} AS turnover
  FROM raw
)
SELECT ${file}::INTEGER AS file, n, symbol, start_us, end_us - start_us AS span_us, open, high, low, close,
  ${amount('volume')}, ${amount('turnover')},
  CASE ${fault} ELSE 0 END::UTINYINT AS fault
FROM named`;
}

/**
 * A number that could not be read, or is NaN, may stand for an absent value. Only then is its text checked,
 * which is slow.
 */
function isAbsent(text: string, number: string): string {
  return `(CASE WHEN ${number} IS NOT NULL THEN isnan(${number}) WHEN ${text} IS NULL THEN true
    ELSE regexp_full_match(${text}, ${quoted(ABSENT)}) END)`;
}

/**
 * A time in µs since the epoch: a number of seconds, ms, µs or ns, depending on its size, or a date. Without
 * an offset it is UTC. Numbers below 2008 in any unit are something else, such as 20240101.
 */
function timeOf(text: string, number: string): string {
  const units = [
    [1_200_000_000n, '* 1000000'],
    [1_200_000_000_000n, '* 1000'],
    [1_200_000_000_000_000n, ''],
    [1_200_000_000_000_000_000n, '// 1000'],
  ] as const;
  const cases = units.map(([least, toUs]) => `WHEN ${number} >= ${least} THEN ${number} ${toUs}`).reverse();
  const formats = ['%Y-%m-%d %I-%p', '%b %d, %Y', '%Y-%m-%dT%H:%M', '%Y-%m-%d %H'].map(quoted).join(', ');
  return `CASE WHEN ${number} IS NOT NULL THEN CASE ${cases.join(' ')} END
    ELSE coalesce(epoch_us(try_cast(${text} AS TIMESTAMPTZ)), epoch_us(try_strptime(trim(${text}), [${formats}]))) END`;
}
