import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestSource } from '../../core/columns/manifest.ts';
import { type ColumnFile, columnKey, statesKey } from '../../core/columns/objects.ts';
import type { ColumnMaker, ColumnStore } from '../../core/columns/ports.ts';
import type { ColumnComparison, SymbolComparison } from '../../core/columns/verify-columns.ts';
import { type Database, withDatabase } from './database.ts';
import { sha256Of } from './parquet.ts';
import { quoted } from './sql-text.ts';

const MEMORY = '192MB';

/** Makes a file again, of all its sources, and compares the one in the lake with it. */
export function compareFile(
  store: Pick<ColumnStore, 'fetchFile'>,
  maker: Pick<ColumnMaker, 'write'>,
  file: ColumnFile,
  sources: readonly ManifestSource[],
): Promise<ColumnComparison> {
  return withDatabase(MEMORY, async (database, folder) => {
    let rows = 0;
    const problems: string[] = [];
    /** By the key of what they should be the same as. */
    const made = new Map<string, string>();
    const keep = async (key: string, path: string) => {
      const kept = join(folder, `made-${made.size}.parquet`);
      await rename(path, kept);
      made.set(key, kept);
    };
    await maker.write(file, sources, async ({ path, content, states, ...written }) => {
      rows = content.rows;
      problems.push(...written.problems);
      await keep(columnKey(file), path);
      if (states) await keep(statesKey(file), states.path);
    });
    const compareWith = async (key: string) => {
      const there = join(folder, 'there.parquet');
      try {
        await store.fetchFile(key, there);
        return {
          symbols: await compared(database, made.get(key) ?? '', there),
          sha256: await sha256Of(there),
        };
      } catch (error) {
        const [reason] = (error as Error).message.split('\n');
        problems.push(`${key} cannot be read: ${reason}`);
        return { symbols: [] };
      }
    };
    const states = statesKey(file);
    if (made.has(states) && (await compareWith(states)).symbols.some(({ same }) => !same)) {
      problems.push(`${states} is not what the next month has to continue with`);
    }
    return { rows, ...(await compareWith(columnKey(file))), problems };
  });
}

/**
 * By symbol: how many rows there are, and whether all their values are the same, whatever their order. DuckDB joins the hashes of
 * columns with XOR, so the same change in two rows would not be seen if their hash were not hashed again.
 */
function compared(database: Database, made: string, there: string): Promise<SymbolComparison[]> {
  const isMade = `filename = ${quoted(made)}`;
  return database.rows<SymbolComparison>(
    `SELECT symbol, count(*) FILTER (${isMade})::INTEGER AS made, count(*) FILTER (NOT ${isMade})::INTEGER AS parquet,
       made = parquet AND bit_xor(hash(hash(*COLUMNS(* EXCLUDE filename)))) = 0 AS same
     FROM read_parquet([${quoted(made)}, ${quoted(there)}], union_by_name = true, filename = true)
     GROUP BY symbol ORDER BY symbol`,
  );
}
