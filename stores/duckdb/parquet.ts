import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Manifest } from '../../core/columns/manifest.ts';
import { type ColumnTable, columnsOf, SORTED_BY, TIME_COLUMNS } from '../../core/columns/tables.ts';
import type { Database } from './database.ts';
import { quoted } from './sql-text.ts';
import { SQL_TYPES } from './sql-types.ts';

/** Statistics come with every row group, Bloom filters with every column that has a dictionary. */
const FORMAT = {
  FORMAT: 'parquet',
  COMPRESSION: 'zstd',
};

/** Rows in a group. A candle has the prices of an hour, thirty or more of them. */
const GROUP_ROWS: Readonly<Record<ColumnTable, number>> = {
  tickers: 122_880,
  candles: 24_576,
  moves: 122_880,
};

/**
 * Writes the rows of a query as a table's Parquet file, sorted. Rows that agree in all columns they are sorted by would
 * make the file's bytes depend on chance; there are none.
 * @param rows SQL with the table's columns
 * @param used the columns that have any value. The others are not sorted, which takes time and memory. @default all
 */
export async function writeParquet(
  database: Database,
  table: ColumnTable,
  rows: string,
  path: string,
  used: readonly string[] = Object.keys(columnsOf(table)),
): Promise<void> {
  const key = SORTED_BY[table];
  const sorted = `SELECT ${[...new Set([...key, ...used])].join(', ')} FROM (${rows}) ORDER BY ${key.join(', ')}`;
  const unused = Object.entries(columnsOf(table))
    .filter(([name]) => !key.includes(name) && !used.includes(name))
    .map(([name, kind]) => `NULL::${SQL_TYPES[kind]} AS ${name}`);
  await writeSorted(database, table, `SELECT ${['*', ...unused].join(', ')} FROM (${sorted})`, path);
}

/** The same of rows that are sorted. */
export async function writeSorted(
  database: Database,
  table: ColumnTable,
  rows: string,
  path: string,
): Promise<void> {
  const columns = Object.keys(columnsOf(table)).join(', ');
  const format = { ...FORMAT, ROW_GROUP_SIZE: GROUP_ROWS[table] };
  const options = Object.entries(format).map(([name, value]) => `${name} ${value}`);
  await database.run(`COPY (SELECT ${columns} FROM (${rows})) TO ${quoted(path)} (${options.join(', ')})`);
}

type Content = Pick<Manifest, 'bytes' | 'sha256' | 'rows' | 'first' | 'last' | 'symbols'>;

interface SymbolRows {
  symbol: string;
  rows: number;
  firstMs: number;
  lastMs: number;
}

/** What a Parquet file of a table contains, as its manifest says it. */
export async function describeParquet(
  database: Database,
  table: ColumnTable,
  path: string,
): Promise<Content> {
  const time = TIME_COLUMNS[table];
  const bySymbol = await database.rows<SymbolRows>(
    `SELECT symbol, count(*)::INTEGER AS "rows", epoch_ms(min(${time}))::DOUBLE AS "firstMs", epoch_ms(max(${time}))::DOUBLE AS "lastMs"
     FROM read_parquet(${quoted(path)}) GROUP BY symbol ORDER BY symbol`,
  );
  const rows = bySymbol.reduce((sum, each) => sum + each.rows, 0);
  const times = bySymbol.flatMap(({ firstMs, lastMs }) => [firstMs, lastMs]);
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    bytes: (await stat(path)).size,
    sha256: await sha256Of(path),
    rows,
    ...(rows > 0 ? { first: iso(least(times)), last: iso(-least(times.map((ms) => -ms))) } : {}),
    symbols: Object.fromEntries(bySymbol.map((each) => [each.symbol, each.rows])),
  };
}

/** There may be more than Math.min takes. */
function least(values: readonly number[]): number {
  return values.reduce((least, value) => (value < least ? value : least), Number.POSITIVE_INFINITY);
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
