import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ColumnReads, LakeSelection } from '../../core/columns/selection.ts';
import { Database } from './database.ts';
import { BroughtTables } from './insights/brought-tables.ts';
import type { LakeTables } from './insights/tables.ts';
import { LakeCache } from './lake-cache.ts';
import { type LakePlan, LakeReader } from './lake-reader.ts';
import { createViews } from './lake-views.ts';

export interface LakeOptions {
  /** Where files of the lake are kept on this machine. */
  cacheFolder: string;
  /** What was not used for longest is deleted beyond it. */
  mostCacheBytes: number;
  /** Of DuckDB, such as `1GB`; what needs more spills to the disk. */
  memory: string;
  threads: number;
}

/** A DuckDB with views of the lake. */
export class Lake implements AsyncDisposable {
  readonly database: Database;
  readonly #objects: ColumnReads;
  readonly #reader: LakeReader;
  readonly #folder: string;

  private constructor(objects: ColumnReads, database: Database, reader: LakeReader, folder: string) {
    this.#objects = objects;
    this.database = database;
    this.#reader = reader;
    this.#folder = folder;
  }

  static async open(objects: ColumnReads, options: LakeOptions): Promise<Lake> {
    const folder = await mkdtemp(join(tmpdir(), 'lake-'));
    const database = await Database.open(folder, options);
    const cache = new LakeCache(options.cacheFolder, options.mostCacheBytes);
    return new Lake(objects, database, new LakeReader(objects, cache, database), folder);
  }

  /** Finds out what a selection needs, and how much of it has to be brought. */
  plan(selection: LakeSelection, signal: AbortSignal): Promise<LakePlan> {
    return this.#reader.plan(selection, signal);
  }

  /**
   * Brings what a plan needs, and makes the views `tickers`, `candles` and `moves` of it in place of earlier ones.
   * @param onProgress how many bytes came, each time some did
   */
  async view(plan: LakePlan, signal: AbortSignal, onProgress?: (bytes: number) => void): Promise<void> {
    await createViews(this.database, await this.#reader.bring(plan, signal, onProgress), plan.selection);
  }

  /** The lake as it is now, for questions; what they need is brought as they need it. */
  tables(signal: AbortSignal): LakeTables {
    return new BroughtTables(this.#objects, this.#reader, this.database, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
