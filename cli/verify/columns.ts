import { COLUMN_TABLES, type ColumnTable } from '../../core/columns/tables.ts';
import { type ComparedSeries, nameOf, type VerifyColumnsOutput } from '../../core/columns/verify-columns.ts';
import { formatMarket, formatSeries, type Series } from '../../core/market/series.ts';
import { dayOf } from '../../core/market/time.ts';
import type { VerifyOutput } from '../../core/operate/verify.ts';
import { counted, formatCount } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import { mergeSlices, type OperationFlags, runOperation } from '../operation.ts';
import type { RangeFlags } from '../options.ts';
import { moreRows, print, problemLines } from '../print.ts';
import { withTarget } from '../targets/choose.ts';

/** A series and day on which the three differ. */
interface ColumnsDifference extends Series {
  /** `YYYY-MM-DD` */
  day: string;
  /** Rows. */
  ndjson: number;
  parquet: number;
  /** Whether all values of these two are the same. */
  same: boolean;
  /** Documents. */
  index: number;
}

/** What --json prints. */
interface ColumnsReport {
  agree: boolean;
  /** Parquet files of tickers. */
  files: number;
  /** In the lake's NDJSON. */
  rows: number;
  /** In the index. */
  documents: number;
  seriesDays: number;
  differences: ColumnsDifference[];
  /** Files of candles and moves, the rows that their sources give, and series whose rows are not those. */
  months: { files: number; rows: number; differences: MonthDifference[] };
  problems: string[];
}

interface MonthDifference extends Omit<ComparedSeries, 'period'> {
  /** `YYYY-MM` */
  month: string;
}

const ROWS_SHOWN = 40;
/** Days on which only the index differs are counted for the table; this many fit into an event. */
const MOST_COUNTED = 2_000;

/** Compares NDJSON, Parquet and index. @returns the exit code */
export function verifyColumns(flags: OperationFlags & RangeFlags, signal: AbortSignal): Promise<number> {
  const { folder, from, to, exchange } = flags;
  return withTarget(flags, ['openSearch', 's3'], signal, async (target) => {
    const closed = new Date(dayOf(target.now.getTime())).toISOString();
    const range = { from, to: to === undefined || to > closed ? closed : to, exchange };
    const index = mergeSlices(await runOperation<VerifyOutput>(target, 'verify', range, { folder, signal }));
    const excess = excessOf(index);
    const count = [...excess.keys()].slice(0, MOST_COUNTED);
    const found = {} as Record<ColumnTable, VerifyColumnsOutput>;
    for (const table of COLUMN_TABLES) {
      const input = { ...range, table, now: target.now.toISOString(), count };
      const slices = await runOperation<VerifyColumnsOutput>(target, 'verify-columns', input, {
        folder,
        signal,
        functionName: 'compact',
      });
      found[table] = mergeSlices(slices);
    }
    const report = reportOf(found, index, excess);
    if (flags.json) print(JSON.stringify(report));
    else print(...lines(report));
    return report.agree ? 0 : 1;
  });
}

/** By series and day on which lake and index differ: how many documents more the index has. */
function excessOf({ differences }: VerifyOutput): Map<string, number> {
  const excess = new Map<string, number>();
  for (const { hour, missing, extra, ...series } of differences) {
    const name = nameOf({ ...series, period: hour.slice(0, 10) });
    excess.set(name, (excess.get(name) ?? 0) + extra - missing);
  }
  return excess;
}

function reportOf(
  { tickers, candles, moves }: Record<ColumnTable, VerifyColumnsOutput>,
  index: VerifyOutput,
  excess: ReadonlyMap<string, number>,
): ColumnsReport {
  const differences = tickers.counted.map(({ table, period: day, made: ndjson, ...each }) => {
    const more = excess.get(nameOf({ ...each, period: day })) ?? 0;
    return { ...each, day, ndjson, index: ndjson + more };
  });
  const months = {
    files: candles.files + moves.files,
    rows: candles.rows + moves.rows,
    differences: [...candles.counted, ...moves.counted].map(({ period: month, ...each }) => ({
      ...each,
      month,
    })),
  };
  const { files, rows, series: seriesDays } = tickers;
  const problems = [...new Set([index, tickers, candles, moves].flatMap(({ problems }) => problems))];
  const different = [differences, index.differences, months.differences, problems];
  const agree = different.every(({ length }) => length === 0);
  return { agree, files, rows, documents: index.documents, seriesDays, differences, months, problems };
}

function lines(report: ColumnsReport): string[] {
  const { agree, files, rows, documents, seriesDays, differences, months, problems } = report;
  const byMonth = [
    ...Map.groupBy(
      months.differences,
      (each) => `${each.table} ${formatMarket(each)} ${each.month}`,
    ).values(),
  ];
  return [
    `${counted(rows, 'row')} of NDJSON in ${counted(files, 'Parquet file')}, ${counted(documents, 'document')} in the index; compared ${counted(seriesDays, 'series-day')}.`,
    `${counted(months.rows, 'row')} of candles and moves in ${counted(months.files, 'Parquet file')}, made again to compare them.`,
    ...(differences.length > 0 ? [differenceTable(differences)] : []),
    ...moreRows(differences, ROWS_SHOWN),
    ...(byMonth.length > 0 ? [monthTable(byMonth)] : []),
    ...moreRows(byMonth, ROWS_SHOWN),
    ...problemLines(problems),
    ...(agree
      ? ['✔ NDJSON, Parquet and index agree.']
      : [
          '✖ NDJSON, Parquet and index disagree.',
          '  "npm run compact" makes Parquet files that are missing, damaged or not up to date, with --again all in a range. "npm run verify" says which documents differ.',
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

/** A row for each file: what is wrong with a month is seldom wrong with one series alone. */
function monthTable(files: readonly MonthDifference[][]): string {
  const sum = (numbers: readonly number[]) => formatCount(numbers.reduce((sum, number) => sum + number, 0));
  return textTable(
    ['table', 'market', 'month', 'series that differ', 'made again', 'Parquet', 'for example'],
    files.slice(0, ROWS_SHOWN).map((series) => {
      const [first] = series as [MonthDifference];
      return [
        first.table,
        formatMarket(first),
        first.month,
        formatCount(series.length),
        sum(series.map(({ made }) => made)),
        sum(series.map(({ parquet }) => parquet)),
        first.symbol,
      ];
    }),
    [0, 1, 2, 6],
  );
}
