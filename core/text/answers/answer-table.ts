/** A table of an answer, for a terminal and for the report page. A head of empty texts is not shown. */
export interface AnswerTable {
  title?: string;
  head: readonly string[];
  rows: readonly (readonly string[])[];
  /** The columns aligned to the left; the others hold numbers. @default the first */
  left?: readonly number[];
  /** Notes about the numbers. */
  notes?: readonly string[];
}

/** A row for each value, a column for each series. */
export function sideBySide<T extends { series: string }>(
  items: readonly T[],
  rows: readonly [title: string, cell: (item: T) => string][],
): AnswerTable {
  return {
    head: items.length === 1 ? ['', ''] : ['', ...items.map(({ series }) => series)],
    rows: rows.map(([title, cell]) => [title, ...items.map(cell)]),
  };
}
