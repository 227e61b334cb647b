import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { HOUR_MS } from '../../core/market/time.ts';
import { HEADER, type HistoryRow, LineFault, parseHeader, parseRow } from './history-row.ts';

/** A price history that cannot be used: which file, which line, what is wrong and what was expected. */
export class PriceHistoryError extends Error {
  override readonly name = 'PriceHistoryError';
  readonly file: string;
  /** 1 is the header; undefined if the whole file is at fault. */
  readonly line: number | undefined;

  constructor(file: string, line: number | undefined, problem: string, expected: string, cause?: unknown) {
    super(`${file}${line === undefined ? '' : `, line ${line}`}: ${problem}. Expected ${expected}.`, {
      cause,
    });
    this.file = file;
    this.line = line;
  }
}

interface Line {
  readonly row: HistoryRow;
  readonly line: number;
}

/**
 * Reads candles from a CSV file (UTF-8; gzip if its name ends in `.gz`) with the columns
 * `start,symbol,open,high,low,close,volume` in any order. Returns the rows in the file's order, which may be any.
 *
 * `start` is an ISO 8601 time in UTC, prices are above 0 with low <= open, close <= high, volume (in the base currency) is 0
 * or more, and no symbol has two rows with the same start. A column `turnover` (in the quote currency) may be added. A
 * byte order mark, CRLF, blank lines and quoted values are accepted.
 *
 * @throws {PriceHistoryError} at the first line that breaks these rules, and for a file that cannot be read
 */
export async function readPriceHistory(file: string): Promise<HistoryRow[]> {
  return parseLines(file, await readText(file)).map(({ row }) => row);
}

/** The candles of a file. */
export interface CandleHistory {
  /** What each candle covers. */
  readonly hours: 1 | 24;
  /** In the file's order. */
  readonly rows: HistoryRow[];
}

/**
 * Reads hourly or daily candles, see {@link readPriceHistory}.
 *
 * @param hours what each row covers @default found out from the most frequent distance between a symbol's rows
 * @throws {PriceHistoryError} also at the first row that does not start on the hour, or the day (UTC)
 */
export async function readCandleHistory(file: string, hours?: 1 | 24): Promise<CandleHistory> {
  const lines = parseLines(file, await readText(file));
  const step = hours ?? stepOf(file, lines);
  for (const { row, line } of lines) {
    if (row.startMs % (step * HOUR_MS) === 0) continue;
    const problem = `${row.symbol} starts at ${new Date(row.startMs).toISOString()}`;
    const [kind, expected] = step === 24 ? ['daily', 'midnight UTC'] : ['hourly', 'a full hour'];
    throw new PriceHistoryError(file, line, problem, `${kind} rows to start at ${expected}`);
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
  const problem = 'no symbol has two rows, so they could be hourly or daily';
  throw new PriceHistoryError(file, undefined, problem, 'two rows of a symbol, or the option --step');
}

async function readText(file: string): Promise<string> {
  const isPacked = file.endsWith('.gz');
  const fail = (problem: string, expected: string) => (cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PriceHistoryError(file, undefined, problem.replace('{}', reason), expected, cause);
  };
  const content = await readFile(file).catch(fail('it cannot be read: {}', 'a readable CSV file'));
  const complete = 'a complete gzip file (one that is not compressed must not be named .gz)';
  const bytes = isPacked
    ? await promisify(gunzip)(content).catch(fail('it cannot be unpacked: {}', complete))
    : content;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const hint = isPacked ? '' : ' (if it is compressed with gzip, its name must end in .gz)';
    return fail('the content is not UTF-8 text', `a CSV file${hint}`)(error);
  }
}

function parseLines(file: string, text: string): Line[] {
  const rows: Line[] = [];
  const seen = new Map<string, number>();
  let columns: ReturnType<typeof parseHeader> | undefined;
  for (const [index, textLine] of text.split('\n').entries()) {
    const line = index + 1;
    if (textLine.trim() === '') continue;
    try {
      if (columns === undefined) {
        columns = parseHeader(textLine);
      } else {
        const row = parseRow(columns, textLine);
        refuseDuplicate(row, line, seen);
        rows.push({ row, line });
      }
    } catch (fault) {
      if (!(fault instanceof LineFault)) throw fault;
      throw new PriceHistoryError(file, line, fault.message, fault.expected);
    }
  }
  if (!columns) throw new PriceHistoryError(file, undefined, 'the file is empty', `the header ${HEADER}`);
  if (rows.length === 0) {
    throw new PriceHistoryError(file, undefined, 'there are no rows after the header', 'one candle per line');
  }
  return rows;
}

function refuseDuplicate({ symbol, startMs }: HistoryRow, line: number, seen: Map<string, number>): void {
  const key = `${symbol} at ${new Date(startMs).toISOString()}`;
  const earlier = seen.get(key);
  if (earlier !== undefined) {
    throw new LineFault(`${key} is already on line ${earlier}`, 'one row per symbol and start');
  }
  seen.set(key, line);
}
