import { join } from 'node:path';
import type { ColumnMaker, ColumnStore } from '../../core/columns/ports.ts';
import { columnsOf } from '../../core/columns/tables.ts';
import { type Database, withDatabase } from './database.ts';
import { describeParquet, writeParquet } from './parquet.ts';
import { loadDay } from './ticker-day.ts';

/**
 * What DuckDB may use, at first, and then if it cannot sort in that: a million tickers with half of all fields need the first
 * and a process of 460 MB.
 */
const MEMORY = ['192MB', '384MB', '768MB'] as const;
/** Writes a day of tickers from its objects. */
export function writeTickerFile(
  store: Pick<ColumnStore, 'read'>,
  ...[file, sources, take]: Parameters<ColumnMaker['write']>
): Promise<void> {
  return withDatabase(MEMORY[0], async (database, folder) => {
    const path = join(folder, 'part-0.parquet');
    const { rows, skipped, unreadable, problems } = await loadDay(database, store, sources, folder);
    // With little memory, because what counting keeps of the table would add to what sorting needs.
    const used = await database.withEnoughMemory(['48MB', ...MEMORY], () => usedColumns(database));
    await database.withEnoughMemory(MEMORY, () =>
      writeParquet(database, file.table, 'FROM tickers', path, used),
    );
    const content = await describeParquet(database, file.table, path);
    if (content.rows !== rows) {
      throw new Error(`${rows} tickers of ${file.period} were read, but ${content.rows} written`);
    }
    const unread = unreadable.length > 0 ? { unreadable } : {};
    await take({ path, content: { ...content, skipped, ...unread }, problems });
  });
}

/** The columns that have a value: an exchange sends half of the fields, or fewer. */
async function usedColumns(database: Database): Promise<string[]> {
  const columns = Object.keys(columnsOf('tickers'));
  const [counts = {}] = await database.rows<Record<string, number>>(
    `SELECT ${columns.map((name) => `count(${name})::INTEGER AS ${name}`).join(', ')} FROM tickers`,
  );
  return columns.filter((name) => counts[name]);
}
