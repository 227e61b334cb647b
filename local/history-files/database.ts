import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** A DuckDB that keeps its tables in a folder and little in memory. */
export class Database {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  /** @param folder for its tables, deleted by the caller */
  static async open(folder: string): Promise<Database> {
    const instance = await DuckDBInstance.create(`${folder}/rows.duckdb`, {
      memory_limit: '48MB',
      threads: '1', // a second one needs memory, and is not faster with so little
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

  async rows<R>(sql: string): Promise<R[]> {
    return (await (await this.#connection.run(sql)).getRowObjectsJS()) as unknown as R[];
  }

  /** Columns of numbers, chunk by chunk; null where there is none. */
  async *numbers(sql: string): AsyncGenerator<{ count: number; columns: (readonly (number | null)[])[] }> {
    const result = await this.#connection.stream(sql);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (!chunk || chunk.rowCount === 0) return;
      yield { count: chunk.rowCount, columns: chunk.getColumns() as (number | null)[][] };
    }
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}
