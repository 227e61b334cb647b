import type { CompactOutput } from '../../core/columns/compact.ts';
import { counted, formatTime } from '../../core/text/format.ts';
import { createCommand } from '../command.ts';
import { type OperationFlags, operationCommand } from '../operation.ts';
import { type RangeFlags, withRangeOptions } from '../options.ts';
import { problemLines } from '../print.ts';

interface CompactFlags extends OperationFlags, RangeFlags {
  again?: boolean;
  dryRun?: boolean;
}

/** What --json prints. */
interface CompactResult extends CompactOutput {
  now: string;
}

const help = `Exit codes: 0 all files are up to date, 1 some could not be written, or part of the lake cannot be read, 2 failed.

Months of candles and moves are made as a whole, even if --from and --to select only some of their days. --dry-run does not count a
month that will be due only because the same run makes one of its days.

With --json: {due, written, rows, skipped, failed, upToDate, problems: [text], now}: files that were missing or older than
what they are made from, those of them that are written now, their rows, lines that are not tickers, files that could not be
written, files that needed nothing.

Examples:
  npm run compact                                       all that is due
  npm run compact -- --from 2018-07-01 --to 2018-07-08  one week, UTC
  npm run compact -- --dry-run                          only count the files
  npm run compact -- --stage dev                        a deployed stage`;

const description =
  "Makes the lake's Parquet files: of each market one for the tickers of a day that is over, and one each for the candles and the moves of a month, from those days and from what backfills recorded. A file is made again if its sources change or if it is damaged. The schedule does this every day. Files that are up to date stay as they are, so an interrupted run can simply be started again.";

export const command = operationCommand<CompactFlags, CompactOutput, CompactResult>(
  withRangeOptions(createCommand('compact', description, { help }))
    .option('--again', 'also make files that are up to date, entirely from their sources')
    .option('--dry-run', 'only count the files that are due'),
  {
    needs: () => ['s3'],
    functionName: 'compact',
    input: ({ from, to, exchange, again, dryRun }, now) => ({
      ...{ from, to, exchange, again, dryRun },
      now: now.toISOString(),
    }),
    result: (output, now) => ({ ...output, now: now.toISOString() }),
    lines: (result, { dryRun }) => [
      dryRun ? dueLine(result) : writtenLine(result),
      `  ${counted(result.upToDate, 'file')} up to date. Now is ${formatTime(result.now)}.`,
      ...problemLines(result.problems),
    ],
    exitCode: ({ failed, problems }) => (failed === 0 && problems.length === 0 ? 0 : 1),
  },
);

function dueLine({ due }: CompactResult): string {
  return `${counted(due, 'file')} to write; nothing is written yet.`;
}

function writtenLine({ written, rows, skipped, failed }: CompactResult): string {
  const left = skipped === 0 ? '' : `; ${counted(skipped, 'line')} left out`;
  const made = `${counted(written, 'file')} written with ${counted(rows, 'row')}${left}`;
  return failed === 0 ? `✔ ${made}.` : `✖ ${counted(failed, 'file')} could not be written. ${made}.`;
}
