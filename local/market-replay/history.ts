import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { SYMBOL_PATTERN } from '../../core/market/series.ts';
import { HOUR_MS } from '../../core/market/time.ts';

/** One recorded candle: prices in the quote currency, `volume` in units of the base currency. */
export interface HistoryRow {
  /** Start of the hour or day that the row covers, epoch milliseconds (UTC). */
  readonly startMs: number;
  readonly symbol: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** A price history that cannot be used: which file, which line, what is wrong and what should be there. */
export class PriceHistoryError extends Error {
  override readonly name = 'PriceHistoryError';
  readonly file: string;
  /** 1 is the header; absent when the whole file is at fault. */
  readonly line: number | undefined;

  constructor(
    file: string,
    line: number | undefined,
    problem: string,
    expected: string,
    options?: ErrorOptions,
  ) {
    super(`${file}${line === undefined ? '' : `, line ${line}`}: ${problem}. Expected ${expected}.`, options);
    this.file = file;
    this.line = line;
  }
}

const COLUMNS = ['start', 'symbol', 'open', 'high', 'low', 'close', 'volume'] as const;
type Column = (typeof COLUMNS)[number];

const HEADER = COLUMNS.join(',');
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const UTC_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;

/** A fault in one line, not yet knowing which file and line that was. */
class LineFault extends Error {
  readonly expected: string;

  constructor(problem: string, expected: string) {
    super(problem);
    this.expected = expected;
  }
}

/**
 * Reads candles from a CSV file (UTF-8; gzip when its name ends in `.gz`) with the columns
 * `start,symbol,open,high,low,close,volume` in any order, rows in any order, in the file's order.
 *
 * `start` is an ISO 8601 time in UTC, prices are above 0 with low <= open, close <= high, volume is 0 or
 * more, and no symbol has two rows with the same start. A byte order mark, CRLF, blank lines and quotes
 * around a value are fine.
 *
 * @throws {PriceHistoryError} at the first line that breaks these rules, and for a file that cannot be read
 */
export async function readPriceHistory(file: string): Promise<HistoryRow[]> {
  return (await readLines(file)).map(({ row }) => row);
}

/** The candles of a file, and what each of them covers. */
export interface CandleHistory {
  /** Of every candle. */
  readonly hours: 1 | 24;
  /** In the file's order. */
  readonly rows: HistoryRow[];
}

/**
 * Reads hourly or daily candles, see {@link readPriceHistory}. Which of the two is told by the most frequent distance
 * between one start of a symbol and the next.
 *
 * @param hours what each row covers, where it shall not be found out
 * @throws {PriceHistoryError} also at the first row that does not start on the hour, or the day (UTC)
 */
export async function readCandleHistory(file: string, hours?: 1 | 24): Promise<CandleHistory> {
  const lines = await readLines(file);
  const step = hours ?? stepOf(file, lines);
  for (const { row, line } of lines) {
    if (row.startMs % (step * HOUR_MS) === 0) continue;
    const start = new Date(row.startMs).toISOString();
    const [what, expected] = step === 24 ? ['daily', 'midnight UTC'] : ['hourly', 'a full hour'];
    throw new PriceHistoryError(
      file,
      line,
      `${row.symbol} starts at ${start}`,
      `${what} rows to start at ${expected}`,
    );
  }
  return { hours: step, rows: lines.map(({ row }) => row) };
}

function stepOf(file: string, lines: readonly Line[]): 1 | 24 {
  const counts = new Map<number, number>();
  for (const ofSymbol of Map.groupBy(lines, ({ row }) => row.symbol).values()) {
    const starts = ofSymbol.map(({ row }) => row.startMs).sort((a, b) => a - b);
    for (const [index, startMs] of starts.slice(1).entries()) {
      const distanceMs = startMs - (starts[index] ?? 0);
      counts.set(distanceMs, (counts.get(distanceMs) ?? 0) + 1);
    }
  }
  const [mostFrequentMs] = [...counts].sort(([a, countA], [b, countB]) => countB - countA || a - b)[0] ?? [];
  if (mostFrequentMs !== undefined) return mostFrequentMs < 24 * HOUR_MS ? 1 : 24;
  if (lines.some(({ row }) => row.startMs % (24 * HOUR_MS) !== 0)) return 1;
  throw new PriceHistoryError(
    file,
    undefined,
    'no symbol has two rows, which does not tell whether they are hourly or daily',
    'two rows of a symbol, or the step to be named (--step)',
  );
}

/** A row and where it stands. */
interface Line {
  readonly row: HistoryRow;
  readonly line: number;
}

async function readLines(file: string): Promise<Line[]> {
  const parse = (chunks: AsyncIterable<Uint8Array>): Promise<Line[]> => parseRows(file, textLines(chunks));
  try {
    return file.endsWith('.gz')
      ? await pipeline(createReadStream(file), createGunzip(), parse)
      : await pipeline(createReadStream(file), parse);
  } catch (error) {
    if (error instanceof PriceHistoryError) throw error;
    throw unreadable(file, error);
  }
}

async function parseRows(file: string, lines: AsyncIterable<string>): Promise<Line[]> {
  const rows: Line[] = [];
  const seen = new Map<string, Map<number, number>>();
  let columns: Column[] | undefined;
  let lineNumber = 0;
  for await (const line of lines) {
    lineNumber += 1;
    if (line.trim() === '') continue;
    try {
      if (columns === undefined) {
        columns = parseHeader(fieldsOf(line));
      } else {
        const row = parseRow(columns, fieldsOf(line));
        refuseDuplicate(row, lineNumber, seen);
        rows.push({ row, line: lineNumber });
      }
    } catch (fault) {
      if (!(fault instanceof LineFault)) throw fault;
      throw new PriceHistoryError(file, lineNumber, fault.message, fault.expected);
    }
  }
  if (columns === undefined)
    throw new PriceHistoryError(file, undefined, 'the file is empty', `the header ${HEADER}`);
  if (rows.length === 0) {
    throw new PriceHistoryError(
      file,
      undefined,
      'there is a header but no row',
      'one candle a line after it',
    );
  }
  return rows;
}

async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest + decoder.decode();
}

function fieldsOf(line: string): string[] {
  return line.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
}

function parseHeader(names: string[]): Column[] {
  const known = names.filter((name): name is Column => (COLUMNS as readonly string[]).includes(name));
  const missing = COLUMNS.filter((column) => !names.includes(column));
  const unknown = names.filter((name) => !(COLUMNS as readonly string[]).includes(name));
  const problems = [
    ...missing.map((name) => `the column "${name}" is missing`),
    ...unknown.map((name) => `the column ${shown(name)} is unknown`),
    ...known
      .filter((name, index) => known.indexOf(name) < index)
      .map((name) => `the column "${name}" is there twice`),
  ];
  if (problems.length > 0) throw new LineFault(problems.join(', '), `the header ${HEADER} (in any order)`);
  return known;
}

function parseRow(columns: Column[], fields: string[]): HistoryRow {
  if (fields.length !== columns.length) {
    throw new LineFault(`the row has ${fields.length} values`, `${columns.length}: ${columns.join(',')}`);
  }
  const text = Object.fromEntries(columns.map((column, index) => [column, fields[index]])) as Record<
    Column,
    string
  >;
  const row: HistoryRow = {
    startMs: parseStart(text.start),
    symbol: parseSymbol(text.symbol),
    open: parsePrice('open', text.open),
    high: parsePrice('high', text.high),
    low: parsePrice('low', text.low),
    close: parsePrice('close', text.close),
    volume: parseVolume(text.volume),
  };
  for (const name of ['open', 'close'] as const) {
    if (row[name] < row.low) {
      throw new LineFault(`low ${text.low} is above ${name} ${text[name]}`, 'the lowest price of the row');
    }
    if (row[name] > row.high) {
      throw new LineFault(`high ${text.high} is below ${name} ${text[name]}`, 'the highest price of the row');
    }
  }
  return row;
}

function parseStart(text: string): number {
  const startMs = UTC_TIME.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse reads 30 February as 2 March: only what comes back as it went in is a real time.
  if (Number.isNaN(startMs) || new Date(startMs).toISOString().slice(0, 19) !== text.slice(0, 19)) {
    throw new LineFault(`start is ${shown(text)}`, 'an ISO 8601 time in UTC such as 2018-07-01T00:00:00Z');
  }
  return startMs;
}

function parseSymbol(text: string): string {
  if (!SYMBOL_PATTERN.test(text) || text.includes('"')) {
    throw new LineFault(`symbol is ${shown(text)}`, 'a name such as BTCUSD, without spaces or quotes');
  }
  return text;
}

function parsePrice(name: Column, text: string): number {
  const price = parseNumber(text);
  if (!(price > 0)) throw new LineFault(`${name} is ${shown(text)}`, 'a price: a finite number above 0');
  return price;
}

function parseVolume(text: string): number {
  const volume = parseNumber(text);
  if (!(volume >= 0)) throw new LineFault(`volume is ${shown(text)}`, 'a finite number, 0 or more');
  return volume;
}

/** NaN for everything but a finite decimal: `Number` alone would take "", " " and "0x10" for numbers. */
function parseNumber(text: string): number {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : Number.NaN;
}

function refuseDuplicate(row: HistoryRow, line: number, seen: Map<string, Map<number, number>>): void {
  const starts = seen.get(row.symbol) ?? new Map<number, number>();
  const earlier = starts.get(row.startMs);
  if (earlier !== undefined) {
    const start = new Date(row.startMs).toISOString();
    throw new LineFault(
      `${row.symbol} at ${start} is already on line ${earlier}`,
      'one row per symbol and start',
    );
  }
  seen.set(row.symbol, starts.set(row.startMs, line));
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function unreadable(file: string, error: unknown): PriceHistoryError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = error instanceof Error ? error.message : String(error);
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    const hint = file.endsWith('.gz') ? '' : ' (if it is compressed with gzip, its name must end in .gz)';
    return new PriceHistoryError(file, undefined, 'the content is not UTF-8 text', `a CSV file${hint}`, {
      cause: error,
    });
  }
  if (code.startsWith('Z_')) {
    return new PriceHistoryError(
      file,
      undefined,
      `it cannot be unpacked: ${reason}`,
      'a complete gzip file (one that is not compressed must not be named .gz)',
      { cause: error },
    );
  }
  return new PriceHistoryError(file, undefined, `it cannot be read: ${reason}`, 'a readable CSV file', {
    cause: error,
  });
}
