import type { AnswerTable } from '../../core/text/answers/answer-table.ts';
import { textTable } from '../../core/text/text-table.ts';

/** A row of a CSV file. */
export type Row = Record<string, string | number | null | undefined>;

/** A table of an answer for a terminal. */
export function printed({ title, head, rows, left, notes = [] }: AnswerTable): string {
  return [
    ...(title === undefined ? [] : indented([title])),
    ...(rows.length === 0 ? [] : [textTable(head, rows, left)]),
    ...(rows.length > 0 && notes.length > 0 ? [''] : []),
    ...indented(notes),
  ].join('\n');
}

export function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Lines after an empty one, if there are any. */
export function paragraph(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...indented(lines)];
}
