import { Command, Option } from 'commander';
import { hourOf } from '../core/market/time.ts';
import type { RebuildOutput } from '../core/operate/rebuild.ts';
import { formatCount } from '../core/text/format.ts';
import { runOperation } from './operate.ts';
import { instant } from './options.ts';
import { runCommand } from './run-command.ts';
import { type TargetFlags, withTarget, withTargetOptions } from './target.ts';

interface RebuildFlags extends TargetFlags {
  from?: string;
  to?: string;
  json?: boolean;
}

const PROBLEMS_SHOWN = 10;

const program = withTargetOptions(
  new Command('npm run rebuild --')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .description(
      'Makes candles and moves from the lake, which keeps every tick and every recorded candle: of any range, also when the index is gone. Waits for a backfill or a summarise that is under way. Stopped or killed, the same command goes on where it was.',
    )
    .addOption(
      new Option('--from <time>', 'first hour, UTC (default: the first there is)').argParser(instant),
    )
    .addOption(
      new Option('--to <time>', 'hour to stop before, UTC (default: the hour that is not closed)').argParser(
        instant,
      ),
    )
    .option('--json', 'the result as one JSON object'),
).addHelpText(
  'after',
  `
Exit codes: 0 done, 1 some of the lake cannot be read, 2 it could not be done.

With --json: {hours, candles, moves, problems: [text]}: hours with ticks, candles written because they are new or
changed, moves written. All numbers are of this run.

Examples:
  npm run rebuild                                       everything that the lake holds
  npm run rebuild -- --from 2018-07-01 --to 2018-07-02  one day, UTC
  npm run rebuild -- --stage dev                        a deployed stage`,
);

function sumOf(slices: readonly RebuildOutput[]): RebuildOutput {
  const sum = (count: (slice: RebuildOutput) => number) => slices.reduce((all, each) => all + count(each), 0);
  return {
    hours: sum(({ hours }) => hours),
    candles: sum(({ candles }) => candles),
    moves: sum(({ moves }) => moves),
    problems: [...new Set(slices.flatMap(({ problems }) => problems))],
  };
}

function print({ hours, candles, moves, problems }: RebuildOutput): void {
  const lines = [
    `✔ ${formatCount(hours)} hours with ticks: ${formatCount(candles)} candles were new or changed, ${formatCount(moves)} moves written.`,
    ...problems.slice(0, PROBLEMS_SHOWN).map((problem) => `! ${problem}`),
  ];
  if (problems.length > PROBLEMS_SHOWN)
    lines.push(`! … and ${problems.length - PROBLEMS_SHOWN} more problems.`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

const { from, to, json, ...target } = program.parse().opts<RebuildFlags>();
process.exit(
  await runCommand((signal) =>
    withTarget(target, ['openSearch', 's3'], signal, async (found) => {
      const closed = new Date(hourOf(found.now.getTime())).toISOString();
      const slices = await runOperation<RebuildOutput>(
        found,
        'rebuild',
        { from, to: to === undefined || to > closed ? closed : to },
        { folder: target.folder, signal, resumable: true },
      );
      const result = sumOf(slices);
      if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
      else print(result);
      return result.problems.length === 0 ? 0 : 1;
    }),
  ),
);
