import type { RecordedRow } from '../../core/operate/backfill/row-parts.ts';

/** One recorded candle: prices in the quote currency, `volume` in units of the base currency, `startMs` in UTC. */
export type HistoryRow = RecordedRow;

/** What is wrong with one line, and what it should be. The caller knows the file and the line. */
export class LineFault extends Error {
  readonly expected: string;

  constructor(problem: string, expected: string) {
    super(problem);
    this.expected = expected;
  }
}

const price = {
  read: (text: string) => positiveOrZero(text) || undefined,
  expected: 'a price: a finite number above 0',
};

/** How to read the text of each column; undefined if it is not valid. */
const COLUMNS = {
  start: { read: utcTime, expected: 'an ISO 8601 time in UTC such as 2018-07-01T00:00:00Z' },
  symbol: {
    // Symbols become part of series names and document ids, where a colon separates.
    read: (text: string) => (/^[^\s:,"]+$/.test(text) ? text : undefined),
    expected: 'a name such as BTCUSD, without spaces, colons or quotes',
  },
  open: price,
  high: price,
  low: price,
  close: price,
  volume: { read: positiveOrZero, expected: 'a finite number, 0 or more' },
  turnover: { read: positiveOrZero, expected: 'a finite number, 0 or more' },
};
type Column = keyof typeof COLUMNS;
const NAMES = (Object.keys(COLUMNS) as Column[]).filter((name) => name !== 'turnover');

/** A column `turnover`, in the quote currency, may be added. */
export const HEADER = NAMES.join(',');

/** The columns of a header line, in its order. Throws {@link LineFault}. */
export function parseHeader(line: string): Column[] {
  const names = fieldsOf(line);
  const isKnown = (name: string): name is Column => Object.hasOwn(COLUMNS, name);
  const problems = [
    ...NAMES.filter((name) => !names.includes(name)).map((name) => `the column "${name}" is missing`),
    ...names.filter((name) => !isKnown(name)).map((name) => `the column ${quoted(name)} is unknown`),
    ...names
      .filter((name, index) => isKnown(name) && names.indexOf(name) < index)
      .map((name) => `the column "${name}" is duplicated`),
  ];
  if (problems.length > 0) throw new LineFault(problems.join(', '), `the header ${HEADER} (in any order)`);
  return names as Column[];
}

/** Throws {@link LineFault}. */
export function parseRow(columns: readonly Column[], line: string): HistoryRow {
  const fields = fieldsOf(line);
  if (fields.length !== columns.length) {
    throw new LineFault(`the row has ${fields.length} values`, `${columns.length}: ${columns.join(',')}`);
  }
  const textOf = (name: Column) => fields[columns.indexOf(name)] as string;
  const valueIn = <N extends Column>(name: N) => {
    const { read, expected } = COLUMNS[name];
    const value = read(textOf(name));
    if (value === undefined) throw new LineFault(`${name} is ${quoted(textOf(name))}`, expected);
    return value as NonNullable<ReturnType<(typeof COLUMNS)[N]['read']>>;
  };
  const row = {
    startMs: valueIn('start'),
    symbol: valueIn('symbol'),
    open: valueIn('open'),
    high: valueIn('high'),
    low: valueIn('low'),
    close: valueIn('close'),
    volume: valueIn('volume'),
    ...(columns.includes('turnover') ? { turnover: valueIn('turnover') } : {}),
  };
  for (const name of ['open', 'close'] as const) {
    if (row[name] < row.low) {
      throw new LineFault(
        `low ${textOf('low')} is above ${name} ${textOf(name)}`,
        'the lowest price of the row',
      );
    }
    if (row[name] > row.high) {
      throw new LineFault(
        `high ${textOf('high')} is below ${name} ${textOf(name)}`,
        'the highest price of the row',
      );
    }
  }
  return row;
}

function fieldsOf(line: string): string[] {
  return line.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
}

function utcTime(text: string): number | undefined {
  const timeMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse reads 30 February as 2 March.
  const isReal = !Number.isNaN(timeMs) && new Date(timeMs).toISOString().slice(0, 19) === text.slice(0, 19);
  return isReal ? timeMs : undefined;
}

/** `Number` alone would accept "", " " and "0x10". */
function positiveOrZero(text: string): number | undefined {
  const value = /^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
