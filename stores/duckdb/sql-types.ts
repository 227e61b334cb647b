import type { ColumnKind } from '../../core/columns/tables.ts';

/** How DuckDB, and so Parquet, types a column. Times are UTC. */
export const SQL_TYPES: Readonly<Record<ColumnKind, string>> = {
  version: 'INTEGER',
  count: 'INTEGER',
  name: 'VARCHAR',
  text: 'VARCHAR',
  price: 'DOUBLE',
  number: 'DOUBLE',
  fraction: 'DOUBLE',
  time: 'TIMESTAMPTZ',
  path: 'STRUCT(offset_ms INTEGER, price DOUBLE)[]',
};
