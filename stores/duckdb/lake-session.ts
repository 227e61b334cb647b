import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MANIFESTS_PREFIX } from '../../core/columns/objects.ts';
import type { ColumnReads, LakeSelection } from '../../core/columns/selection.ts';
import type { ColumnTable } from '../../core/columns/tables.ts';
import { Database, type QueryResult } from './database.ts';
import { Lake, type LakeOptions } from './lake.ts';
import { QueryCheck, QueryError } from './lake-query.ts';
import type { LakePlan } from './lake-reader.ts';
import { quoted } from './sql-text.ts';

/** The lake has no Parquet of a table that a query reads. */
export class NothingCompactedError extends Error {
  override readonly name = 'NothingCompactedError';
}

/** Which rows of the lake a session sees. */
export type SessionLimits = Omit<LakeSelection, 'tables' | 'columns'>;

/** A query that is right, and what it needs. */
export interface PreparedQuery {
  sql: string;
  plan: LakePlan;
  /** Whether it reads the view `coverage`. */
  coverage: boolean;
}

/** Answers the queries of somebody who may ask anything of the lake, and do nothing else. */
export class LakeSession implements AsyncDisposable {
  readonly #objects: ColumnReads;
  readonly #limits: SessionLimits;
  readonly #lake: Lake;
  readonly #check: QueryCheck;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    objects: ColumnReads,
    limits: SessionLimits,
    lake: Lake,
    check: QueryCheck,
    resources: AsyncDisposableStack,
  ) {
    this.#objects = objects;
    this.#limits = limits;
    this.#lake = lake;
    this.#check = check;
    this.#resources = resources;
  }

  /** @param writes files that {@link writeParquet} may write */
  static async open(
    objects: ColumnReads,
    limits: SessionLimits,
    options: LakeOptions,
    writes: readonly string[] = [],
  ): Promise<LakeSession> {
    const resources = new AsyncDisposableStack();
    try {
      const folder = await mkdtemp(join(tmpdir(), 'lake-query-'));
      resources.defer(() => rm(folder, { recursive: true, force: true }));
      const empty = await Database.open(folder);
      resources.defer(() => empty.close());
      const lake = resources.use(await Lake.open(objects, options));
      await lake.lock(writes);
      const check = await QueryCheck.create(empty, folder);
      return new LakeSession(objects, limits, lake, check, resources);
    } catch (error) {
      await resources.disposeAsync();
      throw error;
    }
  }

  /**
   * Checks a query and finds out what it needs.
   * @throws QueryError, NothingCompactedError
   */
  async prepare(sql: string, signal: AbortSignal): Promise<PreparedQuery> {
    const { tables, columns, manifests } = await this.#check.needsOf(sql);
    const plan = await this.#lake.plan({ ...this.#limits, tables, columns }, signal);
    for (const table of tables) {
      // The view coverage has days of tickers as well.
      const either: ColumnTable[] = manifests && table === 'candles' ? ['candles', 'tickers'] : [table];
      if (!plan.files.some(({ file }) => file.table === table)) await this.#assureCompacted(either);
    }
    return { sql, plan, coverage: manifests };
  }

  /** @param onProgress how many bytes came, each time some did */
  async run(
    query: PreparedQuery,
    signal: AbortSignal,
    onProgress?: (bytes: number) => void,
  ): Promise<QueryResult> {
    await this.#view(query, signal, onProgress);
    return this.#named(() => this.#lake.database.query(query.sql));
  }

  /** Writes what a query returns to a file of its own. @returns how many rows */
  async writeParquet(
    query: PreparedQuery,
    path: string,
    signal: AbortSignal,
    onProgress?: (bytes: number) => void,
  ): Promise<number> {
    await this.#view(query, signal, onProgress);
    const sql = query.sql.replace(/[;\s]*$/, '');
    const [row] = await this.#named(() =>
      this.#lake.database.rows<{ Count: bigint }>(
        `COPY (\n${sql}\n) TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd)`,
      ),
    );
    return Number(row?.Count);
  }

  /** Ends the query that is running, with a QueryError. */
  interrupt(): void {
    this.#lake.database.interrupt();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }

  async #view({ plan, coverage }: PreparedQuery, signal: AbortSignal, onProgress?: (bytes: number) => void) {
    await this.#lake.view(plan, signal, onProgress);
    await this.#lake.viewCoverage(coverage ? plan.selection : undefined, signal);
  }

  /** @throws NothingCompactedError if the lake has none of these tables */
  async #assureCompacted(tables: readonly ColumnTable[]): Promise<void> {
    for (const table of tables) {
      const folders = await this.#objects.folders(`${MANIFESTS_PREFIX}${table}/`);
      if (folders.length > 0) return;
    }
    throw new NothingCompactedError(
      `The lake has no Parquet of ${tables.join(' or ')} yet. "npm run compact" makes it of what the lake contains, up to the last whole day.`,
    );
  }

  async #named<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new QueryError((cause as Error).message, { cause });
    }
  }
}
