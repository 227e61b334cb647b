import { hourOf } from '../../core/market/time.ts';
import type { RebuildOutput } from '../../core/operate/rebuild.ts';
import { counted } from '../../core/text/format.ts';
import { createCommand } from '../command.ts';
import { type OperationFlags, operationCommand } from '../operation.ts';
import { instant } from '../options.ts';
import { problemLines } from '../print.ts';

interface RebuildFlags extends OperationFlags {
  from?: string;
  to?: string;
}

const help = `Exit codes: 0 done, 1 part of the lake cannot be read, 2 failed.

With --json: {hours, candles, moves, problems: [text]}: hours with ticks, candles that were new or changed, moves
written. All numbers are those of this run.

Examples:
  npm run rebuild                                       everything in the lake
  npm run rebuild -- --from 2018-07-01 --to 2018-07-02  one day, UTC
  npm run rebuild -- --stage dev                        a deployed stage`;

const description =
  'Makes candles and moves from the lake, which keeps every tick and every recorded candle, so it also works after the index is lost. Waits for a running backfill or summarise. If it is interrupted, run the same command again within a day: it resumes where it stopped.';

export const command = operationCommand<RebuildFlags, RebuildOutput>(
  createCommand('rebuild', description, { help })
    .option('--from <time>', 'first hour, UTC (default: the oldest)', instant)
    .option('--to <time>', 'end, UTC (default: the start of the current hour)', instant),
  {
    needs: () => ['openSearch', 's3'],
    resumable: true,
    input({ from, to }, now) {
      const closed = new Date(hourOf(now.getTime())).toISOString();
      return { from, to: to === undefined || to > closed ? closed : to };
    },
    result: (output) => output,
    lines: ({ hours, candles, moves, problems }) => [
      `✔ ${counted(hours, 'hour')} with ticks: ${counted(candles, 'candle')} new or changed, ${counted(moves, 'move')} written.`,
      ...problemLines(problems),
    ],
    exitCode: ({ problems }) => (problems.length === 0 ? 0 : 1),
  },
);
