import { csvLine } from '../../core/text/csv.ts';
import { counted } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import type { QueryResult } from '../../stores/duckdb/database.ts';
import { Numeral, type PlainValue } from '../../stores/duckdb/plain-value.ts';

/** As many as a person will look through. */
const ROWS_SHOWN = 100;

/** One JSON array, with a row on each line. Numbers have all their digits. */
export async function* jsonLines({ columns, chunks }: QueryResult): AsyncGenerator<string> {
  let lead = '[';
  for await (const rows of chunks) {
    for (const row of rows) {
      const fields = columns.map((column, index) => `${JSON.stringify(column)}:${json(row[index] ?? null)}`);
      yield `${lead}{${fields.join(',')}}`;
      lead = ',';
    }
  }
  yield lead === '[' ? '[]' : ']';
}

/** With a header; null is an empty field. */
export async function* csvLines({ columns, chunks }: QueryResult): AsyncGenerator<string> {
  yield csvLine(columns);
  for await (const rows of chunks) {
    for (const row of rows) yield csvLine(row.map((value) => (isNested(value) ? json(value) : value)));
  }
}

/**
 * A table of the first rows, for people; if it is wider than the terminal, a list of each row's values
 * instead.
 */
export async function* tableLines(
  { columns, chunks }: QueryResult,
  terminalWidth = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  const shown: (readonly PlainValue[])[] = [];
  let isMore = false;
  for await (const rows of chunks) {
    const room = ROWS_SHOWN - shown.length;
    shown.push(...rows.slice(0, room));
    isMore = rows.length > room;
    if (isMore) break;
  }
  const table = tableOf(columns, shown);
  const isWide = table.split('\n').some((line) => line.length > terminalWidth);
  if (isWide) yield* shown.map((row) => listOf(columns, row));
  else yield table;
  yield isMore ? '  … and more rows (--csv and --json print all)' : `(${counted(shown.length, 'row')})`;
}

function tableOf(columns: readonly string[], rows: readonly (readonly PlainValue[])[]): string {
  const isNumber = (value: PlainValue) =>
    value === null || typeof value === 'number' || value instanceof Numeral;
  const left = [...columns.keys()].filter((index) => !rows.every((row) => isNumber(row[index] ?? null)));
  const cells = rows.map((row) => row.map(cell));
  return textTable(columns, cells, left);
}

/** Null values are left out. */
function listOf(columns: readonly string[], row: readonly PlainValue[]): string {
  const rows = columns.map((column, index) => [column, cell(row[index] ?? null)]);
  const there = rows.filter((_, index) => row[index] !== null);
  return `${textTable(['', ''], there, [0, 1])}\n`;
}

function cell(value: PlainValue): string {
  if (isNested(value)) return json(value);
  return value === null ? 'NULL' : String(value).replace(/\r?\n/g, '⏎');
}

function isNested(value: PlainValue): value is PlainValue[] | { [name: string]: PlainValue } {
  return typeof value === 'object' && value !== null && !(value instanceof Numeral);
}

function json(value: PlainValue): string {
  if (value instanceof Numeral) return value.digits;
  if (Array.isArray(value)) return `[${value.map(json).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}:${json(each)}`)}}`;
  }
  // JSON has no NaN and no infinity.
  return JSON.stringify(typeof value === 'number' && !Number.isFinite(value) ? String(value) : value);
}
