/** A Markdown table. Columns from `rightFrom` on are numbers, aligned to the right. */
export function markdownTable(rows: readonly (readonly string[])[], rightFrom = 1): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [head = [], ...body] = rows;
  const rule = head.map((_, column) => (column >= rightFrom ? '--:' : '---'));
  return [line(head), `|${rule.join('|')}|`, ...body.map(line)].join('\n');
}
