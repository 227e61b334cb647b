type Cell = string | number | null | undefined;

/** An answer's fields as columns of one CSV row: a nested field is named like `sources.ticks`; lists are left out. */
export function flatColumns(answer: object): Record<string, Cell> {
  const columns: Record<string, Cell> = {};
  for (const [name, value] of Object.entries(answer)) {
    if (Array.isArray(value)) continue;
    if (typeof value !== 'object' || value === null) columns[name] = value as Cell;
    else for (const [inner, cell] of Object.entries(flatColumns(value))) columns[`${name}.${inner}`] = cell;
  }
  return columns;
}
