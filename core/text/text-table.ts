/**
 * An indented table for a terminal, without lines. A head of empty texts is not printed.
 * @param left the columns aligned to the left; the others hold numbers
 */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly number[] = [0],
): string {
  const lines = head.some((title) => title !== '') ? [head, ...rows] : rows;
  const widths = head.map((_, column) => Math.max(0, ...lines.map((cells) => widthOf(cells[column] ?? ''))));
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => {
      const blanks = ' '.repeat((widths[column] ?? 0) - widthOf(cell));
      return left.includes(column) ? `  ${cell}${blanks}` : `  ${blanks}${cell}`;
    });
  return lines.map((cells) => line(cells).join('').trimEnd()).join('\n');
}

/** Chinese, Japanese and Korean characters, which some symbols contain, take two columns. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/g;

const widthOf = (text: string) => text.length + (text.match(WIDE)?.length ?? 0);
