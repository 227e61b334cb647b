import { closeSync, openSync, writeFileSync } from 'node:fs';
import type { ColumnKind } from '../../core/columns/tables.ts';
import { SQL_TYPES } from './sql-types.ts';

/** Text that is written at once. */
const BLOCK_CHARACTERS = 1 << 20;
/** In bytes; a day with a price each second has 2 MB. DuckDB reads by blocks of twice as much, by default of 32 MiB. */
const LONGEST_ROW = 4_000_000;

/**
 * Rows from the program for DuckDB, on disk: its appender takes 10 KB of memory for each candle with a path. Of a path,
 * a row has points `[offset in ms, price]`; times are ISO 8601.
 */
export class StagedRows {
  readonly #path: string;
  readonly #columns: Readonly<Record<string, ColumnKind>>;
  readonly #file: number;
  #block = '';

  /** @param path of a new file, deleted by the caller */
  constructor(path: string, columns: Readonly<Record<string, ColumnKind>>) {
    this.#path = path;
    this.#columns = columns;
    this.#file = openSync(path, 'w');
  }

  add(row: object): void {
    this.#block += `${JSON.stringify(row)}\n`;
    if (this.#block.length >= BLOCK_CHARACTERS) this.#write();
  }

  /** No row can be added any more. @returns a query for the rows, without an order */
  close(): string {
    this.#write();
    closeSync(this.#file);
    const types = Object.entries(this.#columns).map(([name, kind]) => `${name}: '${jsonType(kind)}'`);
    const paths = Object.entries(this.#columns).filter(([, kind]) => kind === 'path');
    const points = paths.map(([name]) => `${pointsOf(name)} AS ${name}`);
    const replaced = points.length === 0 ? '' : ` REPLACE (${points.join(', ')})`;
    return `SELECT *${replaced} FROM read_json('${this.#path}', format = 'newline_delimited', maximum_object_size = ${LONGEST_ROW}, columns = {${types.join(', ')}})`;
  }

  #write(): void {
    writeFileSync(this.#file, this.#block);
    this.#block = '';
  }
}

function jsonType(kind: ColumnKind): string {
  return kind === 'path' ? 'DOUBLE[][]' : SQL_TYPES[kind];
}

function pointsOf(name: string): string {
  return `list_transform(${name}, lambda point: {offset_ms: point[1]::INTEGER, price: point[2]})`;
}
