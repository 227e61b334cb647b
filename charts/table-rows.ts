import type { PageChart } from './pictures/chart.ts';

/** A row of numbers behind a chart. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * The numbers behind a chart, sorted by the first column if that is a time or a number. If two layers have a row for the
 * same time, the later layer wins. Rows without a value in the first number column are left out.
 * @param rowsOf the rows behind a layer's marks
 */
export function tableRows(
  { table }: Pick<PageChart, 'table'>,
  rowsOf: (layer: string) => readonly Row[],
): Row[] {
  const [first, ...others] = table.columns;
  if (!first) return [];
  const number = others.find(({ format }) => format !== 'text') ?? first;
  const found = new Map<unknown, Row>();
  for (const layer of table.layers) {
    for (const row of rowsOf(layer)) {
      if ((row[number.field] ?? null) === null) continue;
      found.set(table.layers.length > 1 ? Number(row[first.field]) : row, row);
    }
  }
  const rows = [...found.values()];
  if (first.format === 'text') return rows;
  return rows.sort((a, b) => Number(a[first.field]) - Number(b[first.field]));
}
