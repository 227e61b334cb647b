import { Command, Option } from 'commander';
import type { SummariseReport } from '../core/summarise/summarise.ts';
import { formatCount, formatTime } from '../core/text/format.ts';
import { runOperation } from './operate.ts';
import { instant } from './options.ts';
import { runCommand } from './run-command.ts';
import { type TargetFlags, withTarget, withTargetOptions } from './target.ts';

interface SummariseFlags extends TargetFlags {
  from?: string;
  json?: boolean;
}

/** What --json prints. */
interface SummariseResult extends Omit<SummariseReport, 'done' | 'lateFrom'> {
  now: string;
}

const program = withTargetOptions(
  new Command('npm run summarise --')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .description(
      'Makes hourly candles and moves from the ticks of every closed hour that is not summarised yet, as the schedule does each hour; with --from, again from then on. The same ticks give the same candles and moves. Waits for a backfill or a rebuild that is under way.',
    )
    .addOption(new Option('--from <time>', 'make everything from this hour on again, UTC').argParser(instant))
    .option('--json', 'the result as one JSON object'),
).addHelpText(
  'after',
  `
Exit codes: 0 done, 2 it could not be done.

With --json: {hours, candles, moves, seriesAgain, until, now}: hours with ticks, candles written because they are new
or changed, moves written, series whose moves were made again; until: every hour that ends by then is summarised.

Examples:
  npm run summarise                           what is not summarised yet
  npm run summarise -- --from 2018-07-03      everything from 3 July 2018 on, again (UTC)
  npm run summarise -- --stage dev            a deployed stage`,
);

function sumOf(slices: readonly SummariseReport[], now: string): SummariseResult {
  const sum = (count: (slice: SummariseReport) => number) =>
    slices.reduce((all, each) => all + count(each), 0);
  const until = slices.at(-1)?.until;
  return {
    hours: sum(({ hours }) => hours),
    candles: sum(({ candles }) => candles),
    moves: sum(({ moves }) => moves),
    seriesAgain: sum(({ seriesAgain }) => seriesAgain),
    ...(until === undefined ? {} : { until }),
    now,
  };
}

function print({ hours, candles, moves, until, now }: SummariseResult): void {
  process.stdout.write(
    until === undefined
      ? `✔ There are no ticks to summarise. Now is ${formatTime(now)}.\n`
      : `✔ ${formatCount(hours)} hours with ticks: ${formatCount(candles)} candles were new or changed, ${formatCount(moves)} moves written.\n  Summarised until ${formatTime(until)}. Now is ${formatTime(now)}.\n`,
  );
}

const { from, json, ...target } = program.parse().opts<SummariseFlags>();
process.exit(
  await runCommand((signal) =>
    withTarget(target, ['openSearch'], signal, async (found) => {
      const now = found.now.toISOString();
      const slices = await runOperation<SummariseReport>(
        found,
        'summarise',
        { from, now },
        { folder: target.folder, signal },
      );
      const result = sumOf(slices, now);
      if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
      else print(result);
      return 0;
    }),
  ),
);
