import type { ReindexOutput } from '../../core/operate/reindex.ts';
import { counted } from '../../core/text/format.ts';
import { createCommand } from '../command.ts';
import { type OperationFlags, operationCommand } from '../operation.ts';
import { problemLines } from '../print.ts';

interface ReindexFlags extends OperationFlags {
  month?: string[];
}

const help = `Exit codes: 0 done, 1 some tickers cannot be indexed, 2 failed.

With --json: {months: [YYYY.MM], indexed, problems: [text]}. All numbers are those of this run.

Examples:
  npm run reindex                        every month that "doctor" names
  npm run reindex -- --month 2026.03     one month
  npm run reindex -- --stage dev         a deployed stage`;

const description =
  'Rebuilds monthly indices of tickers from the lake, so that every field of a ticker has a column. It deletes an index only after a comparison has shown that the lake has all of it, then fills it again. Until it is full, answers about that month lack some ticks. If it is interrupted, run the same command again within a day: it resumes where it stopped.';

export const command = operationCommand<ReindexFlags, ReindexOutput>(
  createCommand('reindex', description, { help }).option(
    '--month <months...>',
    'YYYY.MM (default: all whose index has an older mapping)',
  ),
  {
    needs: () => ['openSearch', 's3'],
    resumable: true,
    input: ({ month }) => ({ months: month }),
    result: (output) => output,
    lines: ({ months, indexed, problems }) => [
      months.length === 0
        ? '✔ Nothing to do: every index has the present shape.'
        : `✔ ${months.join(', ')}: ${counted(indexed, 'ticker')} indexed again.`,
      ...problemLines(problems),
    ],
    exitCode: ({ problems }) => (problems.length === 0 ? 0 : 1),
  },
);
