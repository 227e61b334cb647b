import { nameOf, type SeriesDay, type VerifyColumnsOutput } from '../../core/columns/verify-columns.ts';
import { formatSeries } from '../../core/market/series.ts';
import { dayOf } from '../../core/market/time.ts';
import type { VerifyOutput } from '../../core/operate/verify.ts';
import { counted, formatCount } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { mergeSlices, type OperationFlags, runOperation } from '../operation.ts';
import type { RangeFlags } from '../options.ts';
import { moreRows, print, problemLines } from '../print.ts';
import { withTarget } from '../targets/choose.ts';

/** A series and day on which the three differ. */
interface ColumnsDifference extends SeriesDay {
  /** Documents. */
  index: number;
}

/** What --json prints. */
interface ColumnsReport {
  agree: boolean;
  /** Parquet files. */
  files: number;
  /** In the lake's NDJSON. */
  rows: number;
  /** In the index. */
  documents: number;
  seriesDays: number;
  differences: ColumnsDifference[];
  problems: string[];
}

const ROWS_SHOWN = 40;
/** Days on which only the index differs are counted for the table; so many fit into an event. */
const MOST_COUNTED = 2_000;

/** Compares NDJSON, Parquet and index. @returns the exit code */
export function verifyColumns(flags: OperationFlags & RangeFlags, signal: AbortSignal): Promise<number> {
  const { folder, from, to, exchange } = flags;
  return withTarget(flags, ['openSearch', 's3'], signal, async (target) => {
    const closed = new Date(dayOf(target.now.getTime())).toISOString();
    const range = { from, to: to === undefined || to > closed ? closed : to, exchange };
    const index = mergeSlices(await runOperation<VerifyOutput>(target, 'verify', range, { folder, signal }));
    const excess = excessOf(index);
    const input = {
      ...range,
      now: target.now.toISOString(),
      count: [...excess.keys()].slice(0, MOST_COUNTED),
    };
    const slices = await runOperation<VerifyColumnsOutput>(target, 'verify-columns', input, {
      folder,
      signal,
      functionName: 'compact',
    });
    const report = reportOf(mergeSlices(slices), index, excess);
    if (flags.json) print(JSON.stringify(report));
    else print(...lines(report));
    return report.agree ? 0 : 1;
  });
}

/** By series and day on which lake and index differ: how many documents more the index has. */
function excessOf({ differences }: VerifyOutput): Map<string, number> {
  const excess = new Map<string, number>();
  for (const { hour, missing, extra, ...series } of differences) {
    const name = nameOf({ ...series, day: hour.slice(0, 10) });
    excess.set(name, (excess.get(name) ?? 0) + extra - missing);
  }
  return excess;
}

function reportOf(
  { files, rows, seriesDays, counted: days, problems }: VerifyColumnsOutput,
  index: VerifyOutput,
  excess: ReadonlyMap<string, number>,
): ColumnsReport {
  const differences = days.map((day) => ({ ...day, index: day.ndjson + (excess.get(nameOf(day)) ?? 0) }));
  const all = [...new Set([...index.problems, ...problems])];
  const agree = differences.length === 0 && index.differences.length === 0 && all.length === 0;
  return { agree, files, rows, documents: index.documents, seriesDays, differences, problems: all };
}

function lines(report: ColumnsReport): string[] {
  const { agree, files, rows, documents, seriesDays, differences, problems } = report;
  return [
    `${counted(rows, 'row')} of NDJSON in ${counted(files, 'Parquet file')}, ${counted(documents, 'document')} in the index; compared ${counted(seriesDays, 'day')} of series.`,
    ...(differences.length > 0 ? [differenceTable(differences)] : []),
    ...moreRows(differences, ROWS_SHOWN),
    ...problemLines(problems),
    ...(agree
      ? ['✔ NDJSON, Parquet and index agree.']
      : [
          '✖ NDJSON, Parquet and index disagree.',
          '  "npm run compact" makes Parquet files that are missing or not up to date, with --again all in a range. "npm run verify" says which documents differ.',
        ]),
  ];
}

function differenceTable(differences: readonly ColumnsDifference[]): string {
  return textTable(
    ['series', 'day', 'NDJSON', 'Parquet', 'index', ''],
    differences
      .slice(0, ROWS_SHOWN)
      .map((row) => [
        formatSeries(row),
        row.day,
        ...[row.ndjson, row.parquet, row.index].map(formatCount),
        !row.same && row.ndjson === row.parquet ? 'Parquet has other values' : '',
      ]),
  );
}
