import { type ColumnFile, columnKey } from '../../../core/columns/objects.ts';
import {
  type ColumnReads,
  type LakeSelection,
  type ListedFile,
  listFiles,
} from '../../../core/columns/selection.ts';
import type { ColumnTable } from '../../../core/columns/tables.ts';
import type { Scope } from '../../../core/insights/ports.ts';
import type { Database } from '../database.ts';
import type { LakeReader } from '../lake-reader.ts';
import { viewSql } from '../lake-views.ts';
import type { LakeRead, LakeTables } from './tables.ts';

/** More than one process could hold open, and no question needs. */
const MOST_REMEMBERED = 2_000;

/**
 * The lake's Parquet files, each downloaded to this machine when a query first needs it. What is listed once stays listed, so
 * all parts of an answer see the same files.
 */
export class DownloadedTables implements LakeTables {
  readonly #lake: ColumnReads;
  readonly #reader: LakeReader;
  readonly #database: Database;
  readonly #signal: AbortSignal;
  readonly #files = new Map<string, Promise<ListedFile[]>>();
  readonly #listed = new Map<string, ListedFile>();
  readonly #symbols = new Map<string, Promise<ReadonlySet<string>>>();
  readonly #sources = new Map<string, Promise<string | undefined>>();

  constructor(lake: ColumnReads, reader: LakeReader, database: Database, signal: AbortSignal) {
    this.#lake = lake;
    this.#reader = reader;
    this.#database = database;
    this.#signal = signal;
  }

  files(table: ColumnTable, { exchange, category }: Scope): Promise<ListedFile[]> {
    // Without its exchange a category's files are not in one place.
    const market = { exchange, category: exchange === undefined ? undefined : category };
    return remembered(this.#files, JSON.stringify([table, market]), async () => {
      const files = await Array.fromAsync(listFiles(this.#lake, { tables: [table], ...market }));
      for (const file of files) this.#listed.set(columnKey(file), file);
      return files.sort((a, b) => (a.period < b.period ? -1 : 1));
    });
  }

  symbolsIn(file: ColumnFile): Promise<ReadonlySet<string>> {
    return remembered(this.#symbols, columnKey(file), async () => {
      const plan = await this.#plan([file], { tables: [file.table] });
      return new Set(plan.files.flatMap(({ manifest }) => Object.keys(manifest.symbols)));
    });
  }

  async rows<R>(read: LakeRead, sql: (from: string) => string): Promise<R[]> {
    const from = await this.#source(read);
    return from === undefined ? [] : this.#database.rows<R>(sql(from));
  }

  async *numbers(read: LakeRead, sql: (from: string) => string) {
    const from = await this.#source(read);
    if (from !== undefined) yield* this.#database.numbers(sql(from));
  }

  /** What a query reads from; undefined if there is nothing. */
  #source({ files, symbols, columns }: LakeRead): Promise<string | undefined> {
    const [first] = files;
    if (!first) return Promise.resolve(undefined);
    const key = JSON.stringify([files.map(columnKey), symbols, columns]);
    return remembered(this.#sources, key, async () => {
      const selection: LakeSelection = {
        tables: [first.table],
        symbols,
        columns: { [first.table]: columns },
      };
      const downloaded = await this.#reader.download(await this.#plan(files, selection), this.#signal);
      if (downloaded.length === 0) return undefined;
      const paths = downloaded.map(({ path }) => path);
      return `(${await viewSql(this.#database, first.table, paths, selection)})`;
    });
  }

  #plan(files: readonly ColumnFile[], selection: LakeSelection) {
    const listed = files
      .map((file) => this.#listed.get(columnKey(file)))
      .filter((file) => file !== undefined);
    return this.#reader.planFiles(listed, selection, this.#signal);
  }
}

/** What was found before, unless that failed. The oldest is forgotten first. */
function remembered<T>(known: Map<string, Promise<T>>, key: string, find: () => Promise<T>): Promise<T> {
  const before = known.get(key);
  if (before) return before;
  const found = find();
  known.set(key, found);
  found.catch(() => known.delete(key));
  for (const oldest of known.keys()) {
    if (known.size <= MOST_REMEMBERED) break;
    known.delete(oldest);
  }
  return found;
}
