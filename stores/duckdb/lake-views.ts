import type { LakeSelection } from '../../core/columns/selection.ts';
import {
  COLUMN_TABLES,
  type ColumnTable,
  columnsOf,
  PERIOD_FOLDERS,
  TIME_COLUMNS,
} from '../../core/columns/tables.ts';
import type { Database } from './database.ts';
import type { DownloadedFile } from './lake-reader.ts';
import { named, quoted } from './sql-text.ts';
import { SQL_TYPES } from './sql-types.ts';

/** A column of a view, and its type. */
export type ViewColumns = Record<string, string>;

/** What a view of a table has, in order: its market, the columns of its files, and its period as folders write it. */
export function viewColumns(table: ColumnTable): ViewColumns {
  const columns = Object.entries(columnsOf(table)).map(([name, kind]) => [name, SQL_TYPES[kind]]);
  return {
    exchange: 'VARCHAR',
    category: 'VARCHAR',
    ...Object.fromEntries(columns),
    [PERIOD_FOLDERS[table]]: 'VARCHAR',
  };
}

/**
 * Makes a view of each table over files from the lake, with exactly the rows of the selection. A table of which there are no
 * files is empty. Columns that an older file does not have are null. Columns that the selection leaves out are there as well, but
 * reading them fails: their place in the files is empty.
 */
export async function createViews(
  database: Database,
  files: readonly DownloadedFile[],
  selection: LakeSelection,
): Promise<void> {
  for (const table of COLUMN_TABLES) {
    const paths = files.filter((file) => file.table === table).map(({ path }) => path);
    await database.run(
      `CREATE OR REPLACE VIEW ${table} AS ${await viewSql(database, table, paths, selection)}`,
    );
  }
}

/** A query of what a selection needs of a table, over files from the lake. */
export async function viewSql(
  database: Database,
  table: ColumnTable,
  paths: readonly string[],
  selection: LakeSelection,
): Promise<string> {
  const columns = Object.entries(viewColumns(table));
  const list = (there: ReadonlySet<string>) =>
    columns
      .map(([name, type]) => `${there.has(name) ? named(name) : 'NULL'}::${type} AS ${named(name)}`)
      .join(', ');
  if (paths.length === 0) return `SELECT ${list(new Set())} WHERE false`;
  const types = `exchange: VARCHAR, category: VARCHAR, ${PERIOD_FOLDERS[table]}: VARCHAR`;
  const from = `read_parquet([${paths.map(quoted).join(', ')}], union_by_name = true, hive_partitioning = true, hive_types = {${types}})`;
  const found = await database.rows<{ column_name: string }>(`DESCRIBE SELECT * FROM ${from}`);
  return `SELECT ${list(new Set(found.map(({ column_name }) => column_name)))} FROM ${from} WHERE ${rowsWanted(table, selection)}`;
}

/** The files may contain more than was asked for, and those downloaded in parts have holes. */
function rowsWanted(table: ColumnTable, { fromMs, toMs, symbols }: LakeSelection): string {
  const time = named(TIME_COLUMNS[table]);
  return (
    [
      ...(symbols ? [`symbol IN (${symbols.map(quoted).join(', ') || 'NULL'})`] : []),
      ...(fromMs === undefined ? [] : [`${time} >= ${timeSql(fromMs)}`]),
      ...(toMs === undefined ? [] : [`${time} < ${timeSql(toMs)}`]),
    ].join(' AND ') || 'true'
  );
}

function timeSql(timeMs: number): string {
  return `TIMESTAMPTZ ${quoted(new Date(timeMs).toISOString())}`;
}
