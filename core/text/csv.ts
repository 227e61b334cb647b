import { printable } from './printable.ts';

/**
 * Rows as CSV with a header (RFC 4180, but lines end with \n); an absent value is an empty field. Text that a
 * spreadsheet would take for a formula gets an apostrophe before it, also within a field: where the comma separates
 * decimals, spreadsheets separate fields at semicolons.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
export function csvText(
  rows: readonly Readonly<Record<string, string | number | null | undefined>>[],
): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return lines.map((line) => `${csvLine(line)}\n`).join('');
}

/**
 * A line of {@link csvText}, without its end. Numbers and other values that are not text are written as they
 * are.
 */
export function csvLine(values: readonly CsvValue[]): string {
  return values.map(fieldText).join(',');
}

type CsvValue = string | number | boolean | { toString(): string } | null | undefined;

/**
 * Matches where a formula begins, also in full width: at the start of a text or after a possible field
 * separator.
 */
const FORMULA = /^(?=[\t\r\n])|(?<=^|[;\t\n])(?=\s*[=+\-@＝＋－＠])/g;

function fieldText(value: CsvValue): string {
  const text = typeof value === 'string' ? printable(value).replace(FORMULA, "'") : String(value ?? '');
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
