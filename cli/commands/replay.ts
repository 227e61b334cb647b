import type { ReplayOutput } from '../../core/operate/replay.ts';
import { counted, formatCount } from '../../core/text/format.ts';
import { createCommand } from '../command.ts';
import { type OperationFlags, operationCommand } from '../operation.ts';
import { type RangeFlags, withRangeOptions } from '../options.ts';
import { problemLines } from '../print.ts';

interface ReplayFlags extends OperationFlags, RangeFlags {
  direct?: boolean;
}

const help = `Exit codes: 0 done, 1 some tickers cannot be indexed, 2 failed.

With --json: {batches, tickers, indexed, alreadyThere, problems: [text]}; indexed and alreadyThere count only with
--direct. All numbers are those of this run.

Examples:
  npm run replay -- --direct                            everything, as fast as OpenSearch takes it
  npm run replay -- --from 2018-07-01 --to 2018-07-02   one day, UTC, through Kafka
  npm run replay -- --exchange bybit --stage dev        a deployed stage`;

const description =
  'Indexes the tickers of the lake again, with the same ids, so nothing is stored twice. If it is interrupted, run the same command again within a day: it resumes where it stopped.';

export const command = operationCommand<ReplayFlags, ReplayOutput>(
  withRangeOptions(createCommand('replay', description, { help })).option(
    '--direct',
    'write straight to OpenSearch instead of through Kafka and the index function',
  ),
  {
    needs: ({ direct }) => [direct ? 'openSearch' : 'kafka', 's3'],
    resumable: true,
    input: ({ from, to, exchange, direct = false }) => ({ from, to, exchange, direct }),
    result: (output) => output,
    lines,
    exitCode: ({ problems }) => (problems.length === 0 ? 0 : 1),
  },
);

function lines(
  { batches, tickers, indexed, alreadyThere, problems }: ReplayOutput,
  { direct }: ReplayFlags,
  tookMs: number,
): string[] {
  const seconds = tookMs / 1_000;
  const perSecond = formatCount(Math.round(tickers / Math.max(0.001, seconds)));
  return [
    `✔ ${counted(tickers, 'ticker')} of ${counted(batches, 'batch', 'batches')} in ${seconds.toFixed(1)} s (${perSecond}/s).`,
    direct
      ? `  ${formatCount(indexed)} indexed, ${formatCount(alreadyThere)} were already there.`
      : '  They are on the topic; the index function takes them from there. "npm run verify" says when all have arrived.',
    ...problemLines(problems),
  ];
}
