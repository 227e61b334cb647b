import type { SummariseReport } from '../../core/summarise/summarise.ts';
import { counted, formatTime } from '../../core/text/format.ts';
import { createCommand } from '../command.ts';
import { type OperationFlags, operationCommand } from '../operation.ts';
import { instant } from '../options.ts';

interface SummariseFlags extends OperationFlags {
  from?: string;
}

/** What --json prints. */
interface SummariseResult extends Omit<SummariseReport, 'done' | 'lateFrom'> {
  now: string;
}

const help = `Exit codes: 0 done, 2 failed.

With --json: {hours, candles, moves, seriesAgain, until, now}: hours with ticks, candles that were new or changed, moves
written, series whose moves were made again; every hour that ends by \`until\` is summarised.

Examples:
  npm run summarise                           what is not summarised yet
  npm run summarise -- --from 2018-07-03      everything since 3 July 2018 again (UTC)
  npm run summarise -- --stage dev            a deployed stage`;

const description =
  'Makes hourly candles and moves from the ticks of every closed hour that is not summarised yet, as the schedule does each hour. The same ticks always give the same candles and moves. Waits for a running backfill or rebuild.';

export const command = operationCommand<SummariseFlags, SummariseReport, SummariseResult>(
  createCommand('summarise', description, { help }).option(
    '--from <time>',
    'summarise everything from this hour on again, UTC',
    instant,
  ),
  {
    needs: () => ['openSearch'],
    input: ({ from }, now) => ({ from, now: now.toISOString() }),
    result: ({ done, lateFrom, ...sums }, now) => ({ ...sums, now: now.toISOString() }),
    lines: ({ hours, candles, moves, until, now }) =>
      until === undefined
        ? [`✔ There are no ticks to summarise. Now is ${formatTime(now)}.`]
        : [
            `✔ ${counted(hours, 'hour')} with ticks: ${counted(candles, 'candle')} new or changed, ${counted(moves, 'move')} written.`,
            `  Summarised until ${formatTime(until)}. Now is ${formatTime(now)}.`,
          ],
    exitCode: () => 0,
  },
);
