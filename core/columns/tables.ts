import { INDEX_FIELDS, type IndexFieldKind } from '../market/index-fields.ts';
import { CANDLE_INDICES, MOVES_INDEX, TICKER_INDICES } from '../market/index-names.ts';

/** A table of the lake's Parquet files. */
export type ColumnTable = keyof typeof PERIOD_FOLDERS;

/** The folder that holds one file: a day of ticks, a month of what is made from them. */
export const PERIOD_FOLDERS = { tickers: 'dt', candles: 'month', moves: 'month' } as const;

export const COLUMN_TABLES = Object.keys(PERIOD_FOLDERS) as ColumnTable[];

/** What a column contains; `path` is a list of `{offset_ms, price}` in time order. */
export type ColumnKind = IndexFieldKind | 'path';

const INDICES = { tickers: TICKER_INDICES, candles: CANDLE_INDICES, moves: MOVES_INDEX } as const;

/** Exchange and category are in the folder's name: readers take them from there, and some refuse to find them twice. */
const IN_THE_FOLDER = new Set(['exchange', 'category']);

/** The columns of a table's files, in order, from the same field list as the index. Absent values are null. */
export function columnsOf(table: ColumnTable): Record<string, ColumnKind> {
  const fields = Object.entries<IndexFieldKind>(INDEX_FIELDS[INDICES[table]]);
  const columns = Object.fromEntries(fields.filter(([name]) => !IN_THE_FOLDER.has(name)));
  return table === 'candles' ? { ...columns, path: 'path' } : columns;
}

/** By which columns the rows of a file are sorted; no two rows agree in all of them. */
export const SORTED_BY: Readonly<Record<ColumnTable, readonly string[]>> = {
  tickers: ['symbol', 'slot'],
  candles: ['symbol', 'hours', 'start'],
  moves: ['symbol', 'threshold', 'confirmed_time'],
};

/** The time by which a row belongs to a period. */
export const TIME_COLUMNS: Readonly<Record<ColumnTable, string>> = {
  tickers: 'slot',
  candles: 'start',
  moves: 'confirmed_time',
};
