import type { ColumnFile } from '../../../core/columns/objects.ts';
import type { ColumnTable } from '../../../core/columns/tables.ts';
import type { Scope } from '../../../core/insights/ports.ts';
import { formatMarket, type Market } from '../../../core/market/series.ts';
import type { Window } from '../../../core/market/window.ts';
import type { NumberChunk } from '../database.ts';

/** What a query reads of a table. */
export interface LakeRead {
  /** Of one table. */
  files: readonly ColumnFile[];
  /** Only rows of these are needed. @default all */
  symbols?: readonly string[];
  /** Besides exchange, category and symbol. */
  columns: readonly string[];
}

/** The lake's Parquet files, for SQL. */
export interface LakeTables {
  /** The files of a table, oldest first; at least those of the exchange and category, if they are given. */
  files(table: ColumnTable, scope: Scope): Promise<readonly ColumnFile[]>;
  /** The symbols that a file has rows of, without reading the file itself. */
  symbolsIn(file: ColumnFile): Promise<ReadonlySet<string>>;
  /**
   * Runs a query whose `FROM` is what is read; it may contain rows of other symbols.
   * @returns nothing without files
   */
  rows<R>(read: LakeRead, sql: (from: string) => string): Promise<R[]>;
  /** The same for many rows of numbers. */
  numbers(read: LakeRead, sql: (from: string) => string): AsyncGenerator<NumberChunk>;
}

/**
 * The files in scope that may have rows of a window, oldest first.
 * @param within which markets are in scope
 */
export async function filesIn(
  tables: LakeTables,
  table: ColumnTable,
  scope: Scope,
  within: (scope: Scope) => (market: Market) => boolean,
  { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY }: Partial<Window> = {},
): Promise<ColumnFile[]> {
  const isAsked = within(scope);
  return (await tables.files(table, scope)).filter((file) => {
    const period = periodOf(file);
    return isAsked(file) && period.fromMs < toMs && period.toMs > fromMs;
  });
}

/** Of the files, those that have rows of a symbol. */
export async function* filesOf(
  tables: LakeTables,
  files: Iterable<ColumnFile>,
  symbol: string,
): AsyncGenerator<ColumnFile> {
  for (const file of files) {
    if ((await tables.symbolsIn(file)).has(symbol)) yield file;
  }
}

/** The files by period, the newest first. */
export function newestFirst(files: readonly ColumnFile[]): ColumnFile[][] {
  const byPeriod = Map.groupBy(files, ({ period }) => period);
  return [...byPeriod].sort(([a], [b]) => (a < b ? 1 : -1)).map(([, ofPeriod]) => ofPeriod);
}

/** Of each market the newest file. */
export function newestOfEach(files: readonly ColumnFile[]): ColumnFile[] {
  return [...new Map(files.map((file) => [formatMarket(file), file])).values()];
}

/** The time that a file's rows are of. */
export function periodOf({ period }: Pick<ColumnFile, 'period'>): Window {
  const [year = 0, month = 1, day] = period.split('-').map(Number);
  return day === undefined
    ? { fromMs: Date.UTC(year, month - 1), toMs: Date.UTC(year, month) }
    : { fromMs: Date.UTC(year, month - 1, day), toMs: Date.UTC(year, month - 1, day + 1) };
}
