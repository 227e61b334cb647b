import { COLUMN_TABLES, type ColumnTable } from '../../core/columns/tables.ts';
import type { Database } from './database.ts';
import { COVERAGE_VIEW, createCompacted } from './lake-coverage.ts';
import { viewColumns } from './lake-views.ts';
import { named } from './sql-text.ts';

/** A query that cannot be answered. The message says what is wrong and where, in DuckDB's words. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/** What a query reads. */
export interface QueryNeeds {
  tables: ColumnTable[];
  /** Those of a table that it reads. @default all */
  columns: Partial<Record<ColumnTable, readonly string[]>>;
  /** Whether it needs the manifests of tickers, as the view `coverage` does. */
  manifests: boolean;
}

const VIEWS = [...COLUMN_TABLES, 'coverage'];

/**
 * Optimisations that leave out, or read otherwise, what a query reads of empty tables. Without them the plan names every column
 * that the query could read of full ones.
 */
const NOT_OF_EMPTY_TABLES = [
  'filter_pushdown',
  'statistics_propagation',
  'empty_result_pullup',
  'late_materialization',
  'join_filter_pushdown',
];

/** Tells what queries read, with tables that are empty. */
export class QueryCheck {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** @param database an empty one */
  static async create(database: Database, scratch: string): Promise<QueryCheck> {
    for (const table of COLUMN_TABLES) {
      const columns = Object.entries(viewColumns(table)).map(([name, type]) => `${named(name)} ${type}`);
      await database.run(`CREATE TABLE ${table} (${columns.join(', ')})`);
    }
    await createCompacted(database, scratch);
    await database.run(COVERAGE_VIEW);
    await database.run(`SET disabled_optimizers = '${NOT_OF_EMPTY_TABLES.join(',')}'`);
    await database.lock({ folders: [], files: [] });
    return new QueryCheck(database);
  }

  /** @throws QueryError if the query is wrong, or more than a question */
  async needsOf(sql: string): Promise<QueryNeeds> {
    const kinds = await this.#kindsOf(sql);
    const kind = kinds.at(-1);
    if (kind === undefined) throw new QueryError('There is no query.');
    const explained = kind === 'EXPLAIN' ? EXPLAIN.exec(sql)?.[1] : undefined;
    if (explained !== undefined) return this.needsOf(explained);
    // PIVOT is two statements: it creates a type of the values.
    const isQuestion = kind === 'SELECT' && kinds.slice(0, -1).every((each) => each === 'CREATE');
    if (!isQuestion) {
      const found = kinds.length > 1 ? `${kinds.length} statements (${kinds.join(', ')})` : kind;
      throw new QueryError(
        `Only queries are possible here, one at a time: SELECT, DESCRIBE, SUMMARIZE, EXPLAIN. Got ${found}.`,
      );
    }
    if (kinds.length > 1) return neededAtMost(sql);
    return this.#plannedNeeds(sql);
  }

  async #kindsOf(sql: string): Promise<string[]> {
    try {
      return await this.#database.statementKinds(sql);
    } catch (cause) {
      const message = (cause as Error).message.replace(/^Failed to extract statements: /, '');
      const hint = /Table with name .* does not exist/.test(message)
        ? `\nThere are ${VIEWS.join(', ')}.`
        : '';
      throw new QueryError(`${message}${hint}`, { cause });
    }
  }

  async #plannedNeeds(sql: string): Promise<QueryNeeds> {
    const [row] = await this.#database.rows<{ explain_value: string }>(`EXPLAIN (FORMAT json) ${sql}`);
    const scans = JSON.parse(row?.explain_value ?? '[]').flatMap(scansIn) as Scan[];
    const columns: Partial<Record<ColumnTable, string[]>> = {};
    for (const { table, projections } of scans) {
      const known = COLUMN_TABLES.find((each) => table.endsWith(`.main.${each}`));
      if (known) columns[known] = [...new Set([...(columns[known] ?? []), ...projections])];
    }
    const tables = COLUMN_TABLES.filter((table) => columns[table]);
    return { tables, columns, manifests: scans.some(({ table }) => table.endsWith('.manifests.tickers')) };
  }
}

/** Followed by options, and by the statement. */
const EXPLAIN = /^\s*explain(?:\s+analyze)?(?:\s*\([^)]*\))?\s+(.*)$/is;

/** What a query reads at most, by the names in it. */
function neededAtMost(sql: string): QueryNeeds {
  const isNamed = (view: string) => new RegExp(`\\b${view}\\b`, 'i').test(sql);
  const manifests = isNamed('coverage');
  const tables = COLUMN_TABLES.filter((table) => isNamed(table) || (manifests && table === 'candles'));
  return { tables, columns: {}, manifests };
}

interface PlanNode {
  name: string;
  children?: PlanNode[];
  extra_info?: { Table?: string; Projections?: string | string[] };
}

interface Scan {
  table: string;
  projections: string[];
}

function scansIn({
  extra_info: { Table: table, Projections: read = [] } = {},
  children = [],
}: PlanNode): Scan[] {
  const inside = children.flatMap(scansIn);
  const projections = [read].flat().filter((name) => name !== '');
  return table === undefined ? inside : [{ table, projections }, ...inside];
}
