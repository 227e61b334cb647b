import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { withWorkFolder } from './work-folder.ts';

/** Sorting spills to disk beyond it. */
const MEMORY = '48MB';
/** Parquet comes in groups of rows, as large as its writer liked; JSON is read by blocks of 32 MiB, whatever its lines. */
const MEMORY_FOR_BLOCKS = '384MB';

export interface NumberChunk {
  /** Rows. */
  count: number;
  /** Null where there is none. */
  value: (column: number, row: number) => number | null;
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
    });
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
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
