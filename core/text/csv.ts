/** Rows as CSV with a header (RFC 4180, but lines end with \n); an absent value is an empty field. */
export function csvText(
  rows: readonly Readonly<Record<string, string | number | null | undefined>>[],
): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return lines.map((line) => `${line.map(fieldText).join(',')}\n`).join('');
}

function fieldText(value: string | number | null | undefined): string {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
