/** A string literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as an identifier. */
export function named(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
