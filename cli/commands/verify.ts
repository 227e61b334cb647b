import { InvalidInputError } from '../../core/market/invalid-input.ts';
import { formatSeries } from '../../core/market/series.ts';
import type { VerifyOutput } from '../../core/operate/verify.ts';
import { counted, formatCount, formatTime } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { createCommand } from '../command.ts';
import { type OperationFlags, operationCommand, withRestartOption } from '../operation.ts';
import { type RangeFlags, withRangeOptions } from '../options.ts';
import { moreRows, problemLines } from '../print.ts';
import { verifyColumns } from '../verify/columns.ts';

interface VerifyFlags extends OperationFlags, RangeFlags {
  answers?: boolean;
  columns?: boolean;
}

/** What --json prints. */
interface VerifyReport extends VerifyOutput {
  agree: boolean;
  missing: number;
  extra: number;
}

const ROWS_SHOWN = 40;

const help = `Exit codes: 0 lake and index agree, 1 they do not, 2 they could not be compared.

With --json: {agree, lakeIds, documents, seriesHours, missing, extra, problems: [text],
differences: [{exchange, category, symbol, hour, lake, index, missing, extra, examples: [id]}]}

With --answers: OpenSearch and the lake's Parquet files answer the same questions, about every market and each of its series,
from what both have: up to the last candle of whichever is further behind. Counts, times and prices have to be the same,
sums and what follows from them to 1e-9. OpenSearch estimates the percentiles of ticks: one of them may be off by one
percentage point and half a rank. If it is interrupted, the same command resumes; --restart starts over. With --json: {agree,
questions, compared: {market: {from, to}}, notCompared: [text], differences: [{question, field, index, lake}]}.

With --columns: compares NDJSON, Parquet and index by series and day, for days that are over. Each month of candles and moves is made
again from its sources, in a temporary folder, and compared with the one in the lake, and so is the state that the next month
continues from. With --json: {agree, files, rows, documents, seriesDays, problems: [text], differences: [{exchange, category, symbol, day,
ndjson, parquet, index, same}], months: {files, rows, differences: [{table, exchange, category, symbol, month, made, parquet,
same}]}}; \`same\` says whether NDJSON, or what was made again, and Parquet have the same values.

Examples:
  npm run verify                                       everything
  npm run verify -- --from 2018-07-01 --to 2018-07-02  one day, UTC
  npm run verify -- --stage dev --json                 a deployed stage
  npm run verify -- --columns                          NDJSON, Parquet and index
  npm run verify -- --answers --exchange bybit         the answers about one exchange`;

const description =
  'Compares lake and index: for each series and hour, the index must hold exactly the ids in the lake. Waits for tickers that are still on their way.';

export const command = operationCommand<VerifyFlags, VerifyOutput, VerifyReport>(
  withRestartOption(
    withRangeOptions(createCommand('verify', description, { help }))
      .option('--answers', 'compare the answers of OpenSearch with those of the lake instead')
      .option('--columns', "compare the lake's Parquet files, too, every value: tickers, candles and moves"),
  ),
  {
    instead,
    needs: () => ['openSearch', 's3'],
    input: ({ from, to, exchange }) => ({ from, to, exchange }),
    result: reportOf,
    lines,
    exitCode: ({ agree }) => (agree ? 0 : 1),
  },
);

function reportOf(output: VerifyOutput): VerifyReport {
  const { differences, problems } = output;
  return {
    agree: differences.length === 0 && problems.length === 0,
    ...output,
    missing: differences.reduce((sum, { missing }) => sum + missing, 0),
    extra: differences.reduce((sum, { extra }) => sum + extra, 0),
  };
}

function lines(report: VerifyReport): string[] {
  const { agree, lakeIds, documents, seriesHours, differences, problems } = report;
  return [
    `${counted(lakeIds, 'id')} in the lake, ${counted(documents, 'document')} in the index; compared ${counted(seriesHours, 'series-hour')}.`,
    ...(differences.length > 0 ? [differenceTable(differences)] : []),
    ...moreRows(differences, ROWS_SHOWN),
    ...problemLines(problems),
    ...(agree ? ['✔ Lake and index agree.'] : adviceLines(report)),
  ];
}

function differenceTable(differences: VerifyReport['differences']): string {
  return textTable(
    ['series', 'hour', 'lake', 'index', 'missing', 'extra', 'for example'],
    differences
      .slice(0, ROWS_SHOWN)
      .map((row) => [
        formatSeries(row),
        formatTime(row.hour),
        ...[row.lake, row.index, row.missing, row.extra].map(formatCount),
        row.examples[0] ?? '',
      ]),
  );
}

function adviceLines({ missing, extra }: VerifyReport): string[] {
  return [
    `✖ Lake and index disagree: ${formatCount(missing)} missing, ${formatCount(extra)} extra.`,
    ...(missing > 0
      ? [
          '  Tickers that are still on the topic are indexed while the pipeline runs ("npm run doctor" shows the lag).',
          '  "npm run replay" indexes what stays missing. Tickers that OpenSearch refuses are in the dead letters ("npm run redrive -- --dry-run").',
        ]
      : []),
    ...(extra > 0
      ? ['  Extra documents were never written to this lake, or are duplicates. Trust the lake.']
      : []),
  ];
}

function instead(flags: VerifyFlags, signal: AbortSignal): Promise<number> | undefined {
  if (flags.answers) return verifyAnswers(flags, signal);
  return flags.columns ? verifyColumns(flags, signal) : undefined;
}

/** Loaded only if asked for: DuckDB takes a moment. */
async function verifyAnswers(flags: VerifyFlags, signal: AbortSignal): Promise<number> {
  if (flags.from !== undefined || flags.to !== undefined) {
    throw new InvalidInputError('--answers has no --from and --to: it compares everything that both have.');
  }
  const answers = await import('../verify/answers.ts');
  return answers.verifyAnswers(flags, signal);
}
