import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestSource } from '../../core/columns/manifest.ts';
import type { ColumnStore } from '../../core/columns/ports.ts';
import { columnsOf } from '../../core/columns/tables.ts';
import { tickerRows } from '../../core/columns/ticker-rows.ts';
import { packLines, unpackLines } from '../../core/lake/ndjson.ts';
import { parseTickersKey } from '../../core/lake/ticker-objects.ts';
import { shorten } from '../../core/text/show.ts';
import type { Database } from './database.ts';
import { quoted } from './sql-text.ts';
import { SQL_TYPES } from './sql-types.ts';

/** The rows of a day, as files that DuckDB reads. */
export interface StagedDay {
  files: string[];
  rows: number;
  skipped: number;
  unreadable: string[];
  problems: string[];
}

/** Objects read ahead: enough to keep a store busy, few enough for a Lambda's memory. */
const READ_AHEAD = 16;
/** In one file's report: the first of a kind say enough. */
const MOST_PROBLEMS = 100;

/**
 * Reads a day's objects into the table `tickers`. Lines that are valid but that DuckDB cannot read as stored
 * are rewritten.
 */
export async function loadDay(
  database: Database,
  store: Pick<ColumnStore, 'read'>,
  sources: readonly ManifestSource[],
  folder: string,
): Promise<StagedDay> {
  const columns = Object.entries(columnsOf('tickers'));
  const types = columns.map(([name, kind]) => `${name}: '${SQL_TYPES[kind]}'`).join(', ');
  const load = async (rewrite: boolean) => {
    const day = await stage(store, sources, folder, rewrite);
    await database.run(
      `CREATE OR REPLACE TABLE tickers AS SELECT ${columns.map(([name]) => name).join(', ')}
       FROM read_json([${day.files.map(quoted).join(', ')}], format = 'newline_delimited', compression = 'gzip',
         hive_partitioning = false, maximum_object_size = 1000000, columns = {${types}})`,
    );
    return day;
  };
  try {
    return await load(false);
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    return load(true);
  }
}

/** Such as a field that a line has twice, or bytes behind the end of gzip. */
function isAboutContent(error: unknown): boolean {
  return error instanceof Error && /^(Invalid Input|Conversion|IO) Error/.test(error.message);
}

async function stage(
  store: Pick<ColumnStore, 'read'>,
  sources: readonly ManifestSource[],
  folder: string,
  rewrite: boolean,
): Promise<StagedDay> {
  const day: StagedDay = { files: [], rows: 0, skipped: 0, unreadable: [], problems: [] };
  const addProblem = (problem: string) => {
    if (day.problems.length < MOST_PROBLEMS) day.problems.push(problem);
  };
  const add = async (body: Uint8Array) => {
    const name = join(folder, `${day.files.length}.ndjson.gz`);
    await writeFile(name, body);
    day.files.push(name);
  };
  for await (const { key, body } of readAhead(store, sources)) {
    const address = parseTickersKey(key);
    // Deleted since it was listed: the next listing differs.
    if (!address || !body) continue;
    let lines: string[];
    try {
      lines = await unpackLines(body);
    } catch (error) {
      day.unreadable.push(key);
      addProblem(shorten(`${key} cannot be read: ${(error as Error).message}`));
      continue;
    }
    const rows = tickerRows(address, lines, { rewrite });
    day.rows += rows.lines.length;
    day.skipped += rows.skipped.length;
    for (const reason of rows.skipped) addProblem(`${key}, ${reason}`);
    if (rows.isAsStored) await add(body);
    else if (rows.lines.length > 0) await add(await packLines(rows.lines));
  }
  if (day.files.length === 0) await add(await packLines([]));
  return day;
}

async function* readAhead(
  store: Pick<ColumnStore, 'read'>,
  sources: readonly ManifestSource[],
): AsyncGenerator<{ key: string; body: Uint8Array | undefined }> {
  const ahead: Promise<{ key: string; body: Uint8Array | undefined }>[] = [];
  try {
    for (const { key } of sources) {
      const reading = store.read(key).then((body) => ({ key, body }));
      reading.catch(() => undefined); // thrown when it is awaited
      ahead.push(reading);
      if (ahead.length >= READ_AHEAD) yield await (ahead.shift() as (typeof ahead)[number]);
    }
    for (const reading of ahead.splice(0)) yield await reading;
  } finally {
    await Promise.allSettled(ahead);
  }
}
