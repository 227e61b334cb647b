import type { RedriveOutput } from '../../core/operate/redrive.ts';
import { counted, formatCount } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { createCommand } from '../command.ts';
import { type OperationFlags, operationCommand } from '../operation.ts';
import { instant } from '../options.ts';
import { moreRows } from '../print.ts';

interface RedriveFlags extends OperationFlags {
  since?: string;
  dryRun?: boolean;
}

const ROWS_SHOWN = 20;

const help = `Exit codes: 0 nothing is left behind, 1 some records are, 2 failed.

With --json: {batches, batchRecords, letters, tried, indexed, alreadyThere, problems: [text],
stay: [{position, errorType, reason}]}

Examples:
  npm run redrive -- --dry-run             what there is, and why
  npm run redrive -- --since 2026-03-01    after a fix
  npm run redrive -- --stage dev           a deployed stage`;

const description =
  'Indexes dead letters again (records that could not be indexed, kept in the lake under dead-letters/) and the batches that Lambda gave up on (under aws/lambda/). Dead letters that are indexed now move to redriven/; those refused again stay, with the new reason. A batch is deleted once each of its records is in the index or a dead letter.';

export const command = operationCommand<RedriveFlags, RedriveOutput>(
  createCommand('redrive', description, { help })
    .option('--since <time>', 'only records first seen then or later, UTC (default: all)', instant)
    .option('--dry-run', 'only show what there is and what would be tried'),
  {
    needs: () => ['openSearch', 's3'],
    input: ({ since, dryRun = false }) => ({ since, dryRun }),
    result: (output) => output,
    lines,
    exitCode: ({ stay, problems }) => (stay.length + problems.length === 0 ? 0 : 1),
  },
);

function lines(result: RedriveOutput, { dryRun }: RedriveFlags): string[] {
  const { tried, batchRecords, indexed, alreadyThere, stay, problems } = result;
  const found = foundText(result);
  return [
    found === ''
      ? '✔ There are no dead letters.'
      : dryRun
        ? `${found}; ${counted(tried + batchRecords, 'record')} would be tried, ${formatCount(stay.length)} are not valid tickers.`
        : `${found}: ${formatCount(indexed)} indexed, ${formatCount(alreadyThere)} were already in the index, ${formatCount(stay.length)} stay.`,
    ...(stay.length > 0 ? [stayTable(stay)] : []),
    ...moreRows(stay, ROWS_SHOWN),
    ...problems.map((problem) => `! ${problem}`),
  ];
}

function foundText({ letters, batches, batchRecords }: RedriveOutput): string {
  return [
    ...(letters > 0 ? [`${counted(letters, 'dead letter')}`] : []),
    ...(batches > 0
      ? [
          `${counted(batches, 'batch', 'batches')} that Lambda gave up on (${counted(batchRecords, 'record')})`,
        ]
      : []),
  ].join(' and ');
}

function stayTable(stay: RedriveOutput['stay']): string {
  return textTable(
    ['record', 'error', 'reason'],
    stay
      .slice(0, ROWS_SHOWN)
      .map(({ position, errorType, reason }) => [position, errorType, reason.slice(0, 120)]),
    [0, 1, 2],
  );
}
