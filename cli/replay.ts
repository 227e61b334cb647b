import { Command } from 'commander';
import type { ReplayOutput } from '../core/operate/replay.ts';
import { formatCount } from '../core/text/format.ts';
import { runOperation } from './operate.ts';
import { type RangeFlags, withRangeOptions } from './options.ts';
import { runCommand } from './run-command.ts';
import { type TargetFlags, withTarget, withTargetOptions } from './target.ts';

interface ReplayFlags extends TargetFlags, RangeFlags {
  direct?: boolean;
  json?: boolean;
}

const PROBLEMS_SHOWN = 10;

const program = withTargetOptions(
  withRangeOptions(
    new Command('npm run replay --')
      .description(
        'Reads the lake and indexes its tickers again, with the ids that they had: nothing is ever stored twice. Stopped or killed, the same command goes on where it was.',
      )
      .option('--direct', 'straight to OpenSearch instead of through Kafka and the index function')
      .option('--json', 'the result as one JSON object'),
  ),
).addHelpText(
  'after',
  `
Exit codes: 0 done, 1 some of it cannot be indexed, 2 it could not be done.

With --json: {batches, tickers, indexed, alreadyThere, problems: [text]}; indexed and alreadyThere with --direct
only. All numbers are of this run.

Examples:
  npm run replay -- --direct                            everything, as fast as OpenSearch takes it
  npm run replay -- --from 2018-07-01 --to 2018-07-02   one day, UTC, through Kafka
  npm run replay -- --exchange bybit --stage dev        a deployed stage`,
);

function sumOf(slices: readonly ReplayOutput[]): ReplayOutput {
  const sum = (count: (slice: ReplayOutput) => number) => slices.reduce((all, each) => all + count(each), 0);
  return {
    batches: sum(({ batches }) => batches),
    tickers: sum(({ tickers }) => tickers),
    indexed: sum(({ indexed }) => indexed),
    alreadyThere: sum(({ alreadyThere }) => alreadyThere),
    problems: [...new Set(slices.flatMap(({ problems }) => problems))],
  };
}

function print(
  { batches, tickers, indexed, alreadyThere, problems }: ReplayOutput,
  direct: boolean,
  ms: number,
) {
  const perSecond = formatCount(Math.round(tickers / Math.max(0.001, ms / 1_000)));
  const lines = [
    `✔ ${formatCount(tickers)} tickers of ${formatCount(batches)} batches in ${(ms / 1_000).toFixed(1)} s (${perSecond}/s).`,
    direct
      ? `  ${formatCount(indexed)} indexed, ${formatCount(alreadyThere)} were there already.`
      : '  They are on the topic: the index function takes them from there ("npm run verify" says when all are there).',
    ...problems.slice(0, PROBLEMS_SHOWN).map((problem) => `! ${problem}`),
  ];
  if (problems.length > PROBLEMS_SHOWN)
    lines.push(`! … and ${problems.length - PROBLEMS_SHOWN} more problems.`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

const { from, to, exchange, direct = false, json, ...target } = program.parse().opts<ReplayFlags>();
process.exit(
  await runCommand((signal) =>
    withTarget(target, [direct ? 'openSearch' : 'kafka', 's3'], signal, async (found) => {
      const startedMs = performance.now();
      const slices = await runOperation<ReplayOutput>(
        found,
        'replay',
        { from, to, exchange, direct },
        { folder: target.folder, signal, resumable: true },
      );
      const result = sumOf(slices);
      if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
      else print(result, direct, performance.now() - startedMs);
      return result.problems.length === 0 ? 0 : 1;
    }),
  ),
);
