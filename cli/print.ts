import { once } from 'node:events';
import { formatCount } from '../core/text/format.ts';
import { printable } from '../core/text/printable.ts';

/** Prints lines on stdout: the result. */
export function print(...lines: string[]): void {
  process.stdout.write(`${printable(lines.join('\n'))}\n`);
}

/** Prints lines on stdout as they come, no faster than they are read. */
export async function printEach(lines: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  for await (const line of lines) {
    signal.throwIfAborted();
    const { stdout } = process;
    if (!stdout.write(`${printable(line)}\n`)) await once(stdout, 'drain', { signal });
  }
}

/** Prints lines on stderr: what does not belong to the result. */
export function note(...lines: string[]): void {
  process.stderr.write(`${printable(lines.join('\n'))}\n`);
}

const PROBLEMS_SHOWN = 10;

/** A line for each problem, up to a screenful. */
export function problemLines(problems: readonly string[]): string[] {
  const lines = problems.slice(0, PROBLEMS_SHOWN).map((problem) => `! ${problem}`);
  const hidden = problems.length - lines.length;
  return hidden > 0 ? [...lines, `! … and ${formatCount(hidden)} more problems.`] : lines;
}

/** The line below a table that shows only the first rows; none if it shows all of them. */
export function moreRows(all: readonly unknown[], shown: number): string[] {
  return all.length > shown ? [`  … and ${formatCount(all.length - shown)} more (--json prints all).`] : [];
}
