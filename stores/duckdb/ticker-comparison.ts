import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestSource } from '../../core/columns/manifest.ts';
import { type ColumnFile, columnKey } from '../../core/columns/objects.ts';
import type { ColumnStore } from '../../core/columns/ports.ts';
import { columnsOf } from '../../core/columns/tables.ts';
import type { ColumnComparison, SymbolComparison } from '../../core/columns/verify-columns.ts';
import { type Database, withDatabase } from './database.ts';
import { describeParquet } from './parquet.ts';
import { quoted } from './sql-text.ts';
import { loadDay } from './ticker-day.ts';

const MEMORY = '192MB';

/** Compares a day's Parquet file with the objects that it should be made from. */
export function compareTickerFile(
  store: Pick<ColumnStore, 'read' | 'readManifest'>,
  file: ColumnFile,
  sources: readonly ManifestSource[],
): Promise<ColumnComparison> {
  return withDatabase(MEMORY, async (database, folder) => {
    const { rows, problems } = await loadDay(database, store, sources, folder);
    const key = columnKey(file);
    const path = join(folder, 'part-0.parquet');
    await writeFile(path, (await store.read(key)) ?? '');
    try {
      const { sha256 } = await describeParquet(database, file.table, path);
      if (sha256 !== (await store.readManifest(file))?.sha256) {
        problems.push(`${key} is not the file that its manifest describes`);
      }
      return { rows, problems, symbols: await compared(database, path) };
    } catch (error) {
      const [reason] = (error as Error).message.split('\n');
      problems.push(`${key} cannot be read: ${reason}`);
      return { rows, problems, symbols: [] };
    }
  });
}

/** By symbol: how many rows there are, and whether all their values are the same, whatever their order. */
function compared(database: Database, path: string): Promise<SymbolComparison[]> {
  const columns = Object.keys(columnsOf('tickers')).join(', ');
  const digest = (rows: string) =>
    `SELECT symbol, count(*)::INTEGER AS n, bit_xor(hash(${columns})) AS digest FROM ${rows} GROUP BY symbol`;
  return database.rows<SymbolComparison>(
    `SELECT symbol, coalesce(ndjson.n, 0) AS ndjson, coalesce(parquet.n, 0) AS parquet,
       coalesce(ndjson.n = parquet.n AND ndjson.digest = parquet.digest, false) AS same
     FROM (${digest('tickers')}) AS ndjson
     FULL JOIN (${digest(`read_parquet(${quoted(path)})`)}) AS parquet USING (symbol)
     ORDER BY symbol`,
  );
}
