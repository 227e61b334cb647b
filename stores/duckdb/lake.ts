import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ColumnReads, LakeSelection } from '../../core/columns/selection.ts';
import { Database } from './database.ts';
import { DownloadedTables } from './insights/downloaded-tables.ts';
import type { LakeTables } from './insights/tables.ts';
import { LakeCache } from './lake-cache.ts';
import { COVERAGE_VIEW, createCompacted } from './lake-coverage.ts';
import { type LakePlan, LakeReader } from './lake-reader.ts';
import type { Thrift } from './lake-row-groups.ts';
import { createViews } from './lake-views.ts';

export interface LakeOptions {
  /** Where files of the lake are kept on this machine. */
  cacheFolder: string;
  /** What was not used for longest is deleted beyond it. */
  mostCacheBytes: number;
  /** Of DuckDB, such as `1GB`; what needs more spills to the disk. */
  memory: string;
  threads: number;
  /** @default {@link THRIFT} */
  thrift?: Thrift;
}

/** A DuckDB with views of the lake. */
export class Lake implements AsyncDisposable {
  readonly database: Database;
  readonly #objects: ColumnReads;
  readonly #reader: LakeReader;
  readonly #folder: string;
  readonly #cacheFolder: string;

  private constructor(
    objects: ColumnReads,
    database: Database,
    reader: LakeReader,
    folder: string,
    cacheFolder: string,
  ) {
    this.#objects = objects;
    this.database = database;
    this.#reader = reader;
    this.#folder = folder;
    this.#cacheFolder = cacheFolder;
  }

  static async open(objects: ColumnReads, options: LakeOptions): Promise<Lake> {
    const folder = await mkdtemp(join(tmpdir(), 'lake-'));
    const database = await Database.open(folder, options);
    const cache = new LakeCache(options.cacheFolder, options.mostCacheBytes);
    const reader = new LakeReader(objects, cache, database, options);
    return new Lake(objects, database, reader, folder, options.cacheFolder);
  }

  /** Finds out what a selection needs, and how much of it has to be downloaded. */
  plan(selection: LakeSelection, signal: AbortSignal): Promise<LakePlan> {
    return this.#reader.plan(selection, signal);
  }

  /**
   * Downloads what a plan needs, and makes the views `tickers`, `candles` and `moves` of it in place of earlier ones.
   * @param onProgress how many bytes came, each time some did
   */
  async view(plan: LakePlan, signal: AbortSignal, onProgress?: (bytes: number) => void): Promise<void> {
    await createViews(this.database, await this.#reader.download(plan, signal, onProgress), plan.selection);
  }

  /** The lake as it is now, for questions; their files are downloaded when they are needed. */
  tables(signal: AbortSignal): LakeTables {
    return new DownloadedTables(this.#objects, this.#reader, this.database, signal);
  }

  /** Makes the view `coverage`, with the tickers that the manifests of a selection count; with none if there is no selection. */
  async viewCoverage(selection: LakeSelection | undefined, signal: AbortSignal): Promise<void> {
    const days = selection && (await this.#reader.manifests({ ...selection, tables: ['tickers'] }, signal));
    await createCompacted(this.database, this.#folder, days);
    await this.database.run(COVERAGE_VIEW);
  }

  /** From now on no statement reaches anything but the lake. @param files that it may still write */
  lock(files: readonly string[] = []): Promise<void> {
    return this.database.lock({ folders: [this.#cacheFolder, this.#folder], files });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
