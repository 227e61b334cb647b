import { join } from 'node:path';
import type { CurrencyPair } from '../../core/market/series.ts';
import { show } from '../../core/text/show.ts';
import type { Database } from '../../stores/duckdb/database.ts';
import { describeFault, lineOf } from './describe-fault.ts';
import { type NamedByFile, namedByFile, pairWithQuote } from './file-names.ts';
import { FORMATS, type FormatName } from './formats.ts';
import { HistoryFileError } from './history-file-error.ts';
import type { Layout } from './layout.ts';
import type { HistoryOptions } from './options.ts';
import { stagedRows } from './rows-sql.ts';
import { openSource, type Source } from './source.ts';
import { type PlainFile, unpack } from './unpack.ts';

/** Which format a file was read as, and what was found in it. */
export interface FileReport {
  file: string;
  format: FormatName;
  /** The same in words. */
  title: string;
  rows: number;
  /** Rows that have no price. */
  withoutPrice: number;
  symbols: string[];
}

/** A file of the table `staged`. */
export interface StagedFileReport extends FileReport {
  named: NamedByFile;
  /** Base and quote of its only symbol, if the file or the options say. */
  pair: CurrencyPair;
  /** The last day may come twice. */
  repeatsLastDay: boolean;
  /** The line on which a row (counted from 1) is. */
  lineOf(row: number): Promise<number | undefined>;
}

const CREATE = `CREATE TABLE staged (file INTEGER, n BIGINT, symbol VARCHAR, start_us BIGINT, span_us BIGINT,
  open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE, turnover DOUBLE, fault UTINYINT)`;

/** Reads all files into the table `staged`. @throws HistoryFileError at the first row that is not right */
export async function stageFiles(
  database: Database,
  paths: readonly string[],
  folder: string,
  options: HistoryOptions,
): Promise<StagedFileReport[]> {
  const reports: StagedFileReport[] = [];
  await database.run(CREATE);
  for (const [index, path] of paths.entries()) {
    for (const plain of await unpack(path, join(folder, `file-${index}`))) {
      const onProgress = (percent: number) => options.onProgress?.((index + percent / 100) / paths.length);
      reports.push(await stageFile(database, plain, reports.length, options, onProgress));
    }
  }
  return reports;
}

async function stageFile(
  database: Database,
  plain: PlainFile,
  file: number,
  { format: forced, symbol: given, quote, nowMs }: HistoryOptions,
  onProgress: (percent: number) => void,
): Promise<StagedFileReport> {
  const source = await openSource(database, plain, forced);
  const { layout } = source;
  const { format } = layout;
  const named = namedByFile(plain.name, format);
  const hasColumn = layout.columns.symbol !== undefined;
  const symbol = given ?? (hasColumn ? undefined : namedSymbol(named, quote));
  if (symbol === undefined && !hasColumn) {
    throw new HistoryFileError(plain.title, `${FORMATS[format].title} does not say which symbol it is`, {
      advice: 'Name it as the exchange does, for example --symbol BTCUSD',
    });
  }
  const rowsOf = (read: string) => stagedRows({ file, read, layout, symbol, nowMs });
  const insert = (isStrict: boolean) =>
    database.run(`INSERT INTO staged ${rowsOf(source.read(isStrict))}`, onProgress);
  const attempt = (isStrict: boolean) =>
    source.container ? database.withMoreMemory(() => insert(isStrict)) : insert(isStrict);
  await attempt(true)
    // Files that were put together have several kinds of line ends.
    .catch((error) => (/invalid state/.test(String(error)) ? attempt(false) : Promise.reject(error)))
    .catch((error) => {
      throw unreadable(plain, error);
    });
  const [bad] = await database.rows<{ n: bigint; fault: number }>(
    `SELECT n, fault FROM staged WHERE file = ${file} AND fault > 1 ORDER BY n LIMIT 1`,
  );
  if (bad) throw await describeFault(database, plain, source, bad);
  if (given !== undefined && hasColumn) await refuseSeveral(database, plain, source, given);
  const [counts] = await database.rows<{ rows: bigint; absent: bigint }>(
    `SELECT count(*) AS rows, count(*) FILTER (fault = 1) AS absent FROM staged WHERE file = ${file}`,
  );
  const symbols = await database.rows<{ symbol: string }>(
    `SELECT DISTINCT symbol FROM staged WHERE file = ${file} AND fault = 0 ORDER BY symbol`,
  );
  return {
    file: plain.title,
    format,
    title: [source.container, FORMATS[format].title].filter(Boolean).join(': '),
    rows: Number(counts?.rows ?? 0),
    withoutPrice: Number(counts?.absent ?? 0),
    symbols: symbols.map((each) => each.symbol),
    named,
    pair: pairOf(symbols, layout, named, quote),
    repeatsLastDay: 'repeatsLastDay' in FORMATS[format],
    lineOf: (row) => lineOf(plain, source, row),
  };
}

function namedSymbol({ symbol, base }: NamedByFile, quote: string | undefined): string | undefined {
  return base !== undefined && quote !== undefined ? `${base}${quote}` : symbol;
}

function pairOf(
  symbols: readonly { symbol: string }[],
  { base, quote }: Layout,
  named: NamedByFile,
  given: string | undefined,
): CurrencyPair {
  const [first, second] = symbols;
  if (!first || second) return {};
  if (given !== undefined)
    return named.base ? { base: named.base, quote: given } : pairWithQuote(first.symbol, given);
  if (named.base && named.quote && named.symbol === first.symbol)
    return { base: named.base, quote: named.quote };
  return base && quote ? { base, quote } : {};
}

/** One name for the rows of several symbols would mix them. */
async function refuseSeveral(
  database: Database,
  plain: PlainFile,
  source: Source,
  given: string,
): Promise<void> {
  const column = `c${source.layout.columns.symbol}`;
  const names = await database.rows<{ name: string }>(
    `SELECT DISTINCT ${column} AS name FROM (${source.read(false)}) ORDER BY name LIMIT 3`,
  );
  if (names.length < 2) return;
  const list = names.map(({ name }) => name).join(', ');
  throw new HistoryFileError(
    plain.title,
    `it has several symbols (${list}, …), which cannot all be ${given}`,
    {
      advice: 'Leave --symbol out',
    },
  );
}

/** Turns DuckDB's error about a file into one of ours. */
function unreadable({ title }: PlainFile, cause: unknown): HistoryFileError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const line = Number(/on Line: (\d+)|in line (\d+)/i.exec(text)?.slice(1).find(Boolean)) || undefined;
  const original = /Original Line: ?(.*)/.exec(text)?.[1];
  const row = original === undefined ? '' : ` ${show(original)}`;
  const [, expected, found] = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text) ?? [];
  if (expected !== undefined) {
    return new HistoryFileError(title, `the row${row} has ${found} values`, {
      line,
      advice: `Every row needs ${expected}, as the first has`,
      cause,
    });
  }
  if (/unterminated quote/.test(text)) {
    return new HistoryFileError(title, `a quote is not closed in${row}`, { line, advice: 'Close it', cause });
  }
  if (/unicode|utf-?8/i.test(text)) {
    return new HistoryFileError(title, 'it is not UTF-8 text', { line, advice: 'Save it as UTF-8', cause });
  }
  const [reason = text] = text.split('\n');
  return new HistoryFileError(title, `it cannot be read: ${reason}`, {
    line,
    advice: 'Check the file',
    cause,
  });
}
