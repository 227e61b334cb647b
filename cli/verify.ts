import { Command } from 'commander';
import { formatSeries } from '../core/market/series.ts';
import type { Difference } from '../core/operate/hour-tally.ts';
import type { VerifyOutput } from '../core/operate/verify.ts';
import { formatCount, formatTime } from '../core/text/format.ts';
import { textTable } from '../core/text/text-table.ts';
import { runOperation } from './operate.ts';
import { type RangeFlags, withRangeOptions } from './options.ts';
import { runCommand } from './run-command.ts';
import { type TargetFlags, withTarget, withTargetOptions } from './target.ts';

interface VerifyFlags extends TargetFlags, RangeFlags {
  json?: boolean;
}

/** What --json prints. */
interface VerifyReport {
  agree: boolean;
  /** Different ids in the lake, … */
  lakeIds: number;
  /** … and documents in the index. */
  documents: number;
  seriesHours: number;
  missing: number;
  extra: number;
  differences: Difference[];
  /** What of the lake could not be compared. */
  problems: string[];
}

const ROWS_SHOWN = 40;
const PROBLEMS_SHOWN = 10;

const program = withTargetOptions(
  withRangeOptions(
    new Command('npm run verify --')
      .description(
        'Compares lake and index, for each series and hour: whether the index holds exactly the ids that the lake holds. Tickers that are still on their way are waited for.',
      )
      .option('--json', 'the result as one JSON object'),
  ),
).addHelpText(
  'after',
  `
Exit codes: 0 lake and index agree, 1 they do not, 2 they could not be compared.

With --json: {agree, lakeIds, documents, seriesHours, missing, extra, problems: [text],
differences: [{exchange, category, symbol, hour, lake, index, missing, extra, examples: [id]}]}

Examples:
  npm run verify                                       everything
  npm run verify -- --from 2018-07-01 --to 2018-07-02  one day, UTC
  npm run verify -- --stage dev --json                 a deployed stage`,
);

function reportOf(slices: readonly VerifyOutput[]): VerifyReport {
  const differences = slices.flatMap((slice) => slice.differences);
  const problems = [...new Set(slices.flatMap((slice) => slice.problems))];
  const sum = (count: (slice: VerifyOutput) => number) => slices.reduce((all, each) => all + count(each), 0);
  return {
    agree: differences.length === 0 && problems.length === 0,
    lakeIds: sum(({ lakeIds }) => lakeIds),
    documents: sum(({ documents }) => documents),
    seriesHours: sum(({ seriesHours }) => seriesHours),
    missing: differences.reduce((all, { missing }) => all + missing, 0),
    extra: differences.reduce((all, { extra }) => all + extra, 0),
    differences,
    problems,
  };
}

function print({
  agree,
  lakeIds,
  documents,
  seriesHours,
  missing,
  extra,
  differences,
  problems,
}: VerifyReport) {
  const lines = [
    `The lake holds ${formatCount(lakeIds)} ids, the index ${formatCount(documents)} documents; ${formatCount(seriesHours)} hours of series compared.`,
  ];
  if (differences.length > 0) {
    const table = textTable(['series', 'hour', 'lake', 'index', 'missing', 'extra', 'for example']);
    for (const row of differences.slice(0, ROWS_SHOWN)) {
      table.push([
        formatSeries(row),
        formatTime(row.hour),
        ...[row.lake, row.index, row.missing, row.extra].map(formatCount),
        row.examples[0] ?? '',
      ]);
    }
    lines.push(table.toString());
    if (differences.length > ROWS_SHOWN) {
      lines.push(`  … and ${formatCount(differences.length - ROWS_SHOWN)} more (--json prints all).`);
    }
  }
  lines.push(...problems.slice(0, PROBLEMS_SHOWN).map((problem) => `! ${problem}`));
  if (problems.length > PROBLEMS_SHOWN)
    lines.push(`! … and ${problems.length - PROBLEMS_SHOWN} more problems.`);
  if (agree) lines.push('✔ Lake and index agree.');
  else {
    lines.push(`✖ Lake and index disagree: ${formatCount(missing)} missing, ${formatCount(extra)} extra.`);
    if (missing > 0) {
      lines.push(
        '  What is on the topic is indexed when the pipeline runs ("npm run doctor" tells the lag). "npm run replay" brings what stays missing; what OpenSearch refuses lies in the dead letters ("npm run redrive -- --dry-run").',
      );
    }
    if (extra > 0)
      lines.push('  What is extra was never written to this lake, or is there twice: the lake is right.');
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

const { from, to, exchange, json, ...target } = program.parse().opts<VerifyFlags>();
process.exit(
  await runCommand((signal) =>
    withTarget(target, ['openSearch', 's3'], signal, async (found) => {
      const input = { from, to, exchange };
      const slices = await runOperation<VerifyOutput>(found, 'verify', input, {
        folder: target.folder,
        signal,
      });
      const report = reportOf(slices);
      if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
      else print(report);
      return report.agree ? 0 : 1;
    }),
  ),
);
