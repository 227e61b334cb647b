import { resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, StatementType } from '@duckdb/node-api';
import { defineNaturalLog } from './natural-log.ts';
import { type PlainValue, plainValue } from './plain-value.ts';
import { quoted } from './sql-text.ts';
import { withWorkFolder } from './work-folder.ts';

/** Sorting spills to disk beyond it. */
const MEMORY = '48MB';
/** Parquet comes in groups of rows, as large as its writer liked; JSON is read by blocks of 32 MiB, whatever its lines. */
const MEMORY_FOR_BLOCKS = '384MB';

/** What the binding makes of a text without a statement. */
const NO_STATEMENT = 'Error in native callback';

export interface NumberChunk {
  /** Rows. */
  count: number;
  /** Null where there is none. */
  value: (column: number, row: number) => number | null;
}

/** What a query returns, as it comes. */
export interface QueryResult {
  columns: readonly string[];
  chunks: AsyncIterable<readonly (readonly PlainValue[])[]>;
}

/** A DuckDB that keeps its tables in a folder and little in memory. */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  /**
   * @param folder for its tables, deleted by the caller
   * @param memory such as `1GB`
   * @param threads a second one needs memory, and is not faster with little
   */
  static async open(folder: string, { memory = MEMORY, threads = 1 } = {}): Promise<Database> {
    const instance = await DuckDBInstance.create(`${folder}/rows.duckdb`, {
      memory_limit: memory,
      threads: String(threads),
      temp_directory: folder,
      allow_persistent_secrets: 'false',
    });
    const connection = await instance.connect();
    // The tables are deleted with their folder, so nobody would read what closing would write.
    await connection.run("SET TimeZone = 'UTC'; PRAGMA disable_checkpoint_on_shutdown");
    defineNaturalLog(connection);
    return new Database(instance, connection);
  }

  /** @param onProgress how many percent are done, now and then */
  async run(sql: string, onProgress?: (percent: number) => void): Promise<void> {
    const timer = onProgress && setInterval(() => onProgress(this.#connection.progress.percentage), 200);
    try {
      await this.#connection.run(sql);
    } finally {
      clearInterval(timer);
    }
  }

  /** Does work that needs more memory than reading CSV does. */
  async withMoreMemory<T>(work: () => Promise<T>): Promise<T> {
    await this.run(`SET memory_limit = '${MEMORY_FOR_BLOCKS}'`);
    try {
      return await work();
    } finally {
      await this.run(`SET memory_limit = '${MEMORY}'`);
    }
  }

  /** Does work with as much memory as it turns out to need, the least first. To set it each time frees what is not used. */
  async withEnoughMemory<T>(memories: readonly string[], work: () => Promise<T>): Promise<T> {
    for (const [index, memory] of memories.entries()) {
      await this.run(`SET memory_limit = '${memory}'`);
      try {
        return await work();
      } catch (error) {
        const isLast = index === memories.length - 1;
        if (isLast || !/^Out of Memory Error/.test((error as Error).message)) throw error;
      }
    }
    throw new RangeError('no memory is given');
  }

  async rows<R>(sql: string): Promise<R[]> {
    return (await (await this.#connection.run(sql)).getRowObjectsJS()) as unknown as R[];
  }

  /**
   * Columns of numbers, chunk by chunk, read where DuckDB has them: copies of millions would fill the heap. Each on a
   * connection of its own, because any other query would end the stream.
   */
  async *numbers(sql: string): AsyncGenerator<NumberChunk> {
    const connection = await this.#instance.connect();
    try {
      const result = await connection.stream(sql);
      for (;;) {
        const chunk = await result.fetchChunk();
        if (!chunk || chunk.rowCount === 0) return;
        const columns = Array.from({ length: chunk.columnCount }, (_, index) => chunk.getColumnVector(index));
        yield {
          count: chunk.rowCount,
          value: (column, row) => columns[column]?.getItem(row) as number | null,
        };
      }
    } finally {
      connection.closeSync();
    }
  }

  /** Any query, with values that can be printed. Two columns of one name get different ones. */
  async query(sql: string): Promise<QueryResult> {
    const result = await this.#connection.stream(sql);
    async function* chunks() {
      for (;;) {
        const chunk = await result.fetchChunk();
        if (!chunk || chunk.rowCount === 0) return;
        yield chunk.getRows().map((row) => row.map(plainValue));
      }
    }
    return { columns: result.deduplicatedColumnNames(), chunks: chunks() };
  }

  /**
   * The kinds of the statements in a text, such as SELECT. What is created by one is there for the next, but nothing else is
   * done.
   * @throws DuckDB's error if one is wrong
   */
  async statementKinds(sql: string): Promise<string[]> {
    const statements = await this.#connection.extractStatements(sql).catch((error: Error) => {
      if (error.message === NO_STATEMENT) return undefined;
      throw error;
    });
    const kinds: string[] = [];
    if (!statements) return kinds;
    for (let index = 0; index < statements.count; index += 1) {
      const statement = await statements.prepare(index);
      kinds.push(StatementType[statement.statementType] ?? 'statement');
      if (statement.statementType === StatementType.CREATE) await statement.run();
      statement.destroySync();
    }
    return kinds;
  }

  /**
   * From now on no statement reaches anything on this machine or elsewhere but these, nor changes that.
   * @param folders and what is in them
   */
  async lock({ folders, files }: { folders: readonly string[]; files: readonly string[] }): Promise<void> {
    const list = (paths: readonly string[]) => `[${paths.map((path) => quoted(resolve(path))).join(', ')}]`;
    await this.run(`SET autoinstall_known_extensions = false; SET autoload_known_extensions = false;
      SET allowed_directories = ${list(folders)}; SET allowed_paths = ${list(files)};
      SET enable_external_access = false; SET lock_configuration = true`);
  }

  /** Ends the query that is running, with an error. */
  interrupt(): void {
    this.#connection.interrupt();
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

/**
 * Does work with a database in a temporary folder; both are gone afterwards.
 * @param memory such as `1GB`
 */
export function withDatabase<T>(
  memory: string,
  work: (database: Database, folder: string) => Promise<T>,
): Promise<T> {
  return withWorkFolder(async (folder) => {
    const database = await Database.open(folder, { memory });
    try {
      return await work(database, folder);
    } finally {
      database.close();
    }
  });
}
