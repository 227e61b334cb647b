import { Command, Option } from 'commander';
import type { RedriveOutput } from '../core/operate/redrive.ts';
import { formatCount } from '../core/text/format.ts';
import { textTable } from '../core/text/text-table.ts';
import { runOperation } from './operate.ts';
import { instant } from './options.ts';
import { runCommand } from './run-command.ts';
import { type TargetFlags, withTarget, withTargetOptions } from './target.ts';

interface RedriveFlags extends TargetFlags {
  since?: string;
  dryRun?: boolean;
  json?: boolean;
}

const ROWS_SHOWN = 20;

const program = withTargetOptions(
  new Command('npm run redrive --')
    .description(
      'Indexes again what was left aside: the dead letters (records that could not be indexed, kept in the lake under dead-letters/) and the batches that Lambda gave up (under aws/lambda/). What of the dead letters goes in now moves to redriven/, what is refused again stays, with its new reason. A batch is deleted once each of its records is in the index or a dead letter.',
    )
    .addOption(
      new Option('--since <time>', 'only those first seen then or later, UTC (default: all)').argParser(
        instant,
      ),
    )
    .option('--dry-run', 'only say what there is and what would be tried')
    .option('--json', 'the result as one JSON object'),
).addHelpText(
  'after',
  `
Exit codes: 0 nothing stays behind, 1 some records stay, 2 it could not be done.

With --json: {batches, batchRecords, letters, tried, indexed, alreadyThere, problems: [text],
stay: [{position, errorType, reason}]}

Examples:
  npm run redrive -- --dry-run             what there is, and why
  npm run redrive -- --since 2026-03-01    after a fix
  npm run redrive -- --stage dev           a deployed stage`,
);

function sumOf(slices: readonly RedriveOutput[]): RedriveOutput {
  const sum = (count: (slice: RedriveOutput) => number) => slices.reduce((all, each) => all + count(each), 0);
  return {
    batches: sum(({ batches }) => batches),
    batchRecords: sum(({ batchRecords }) => batchRecords),
    letters: sum(({ letters }) => letters),
    tried: sum(({ tried }) => tried),
    indexed: sum(({ indexed }) => indexed),
    alreadyThere: sum(({ alreadyThere }) => alreadyThere),
    stay: slices.flatMap(({ stay }) => stay),
    problems: slices.flatMap(({ problems }) => problems),
  };
}

function print(result: RedriveOutput, dryRun: boolean) {
  const { batches, batchRecords, letters, tried, indexed, alreadyThere, stay, problems } = result;
  const found = [
    ...(letters > 0 ? [`${formatCount(letters)} dead letters`] : []),
    ...(batches > 0
      ? [`${formatCount(batches)} batches that were given up (${formatCount(batchRecords)} records)`]
      : []),
  ].join(' and ');
  const lines = [
    found === ''
      ? '✔ There are no dead letters.'
      : dryRun
        ? `${found}; ${formatCount(tried + batchRecords)} records would be tried, ${formatCount(stay.length)} are still no tickers.`
        : `${found}: ${formatCount(indexed)} indexed, ${formatCount(alreadyThere)} were in the index already, ${formatCount(stay.length)} stay.`,
  ];
  if (stay.length > 0) {
    const table = textTable(['record', 'error', 'reason']);
    for (const { position, errorType, reason } of stay.slice(0, ROWS_SHOWN)) {
      table.push([position, errorType, reason.slice(0, 120)]);
    }
    lines.push(table.toString());
    if (stay.length > ROWS_SHOWN)
      lines.push(`  … and ${formatCount(stay.length - ROWS_SHOWN)} more (--json prints all).`);
  }
  lines.push(...problems.map((problem) => `! ${problem}`));
  process.stdout.write(`${lines.join('\n')}\n`);
}

const { since, dryRun = false, json, ...target } = program.parse().opts<RedriveFlags>();
process.exit(
  await runCommand((signal) =>
    withTarget(target, ['openSearch', 's3'], signal, async (found) => {
      const input = { since, dryRun };
      const slices = await runOperation<RedriveOutput>(found, 'redrive', input, {
        folder: target.folder,
        signal,
      });
      const result = sumOf(slices);
      if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
      else print(result, dryRun);
      return result.stay.length === 0 && result.problems.length === 0 ? 0 : 1;
    }),
  ),
);
