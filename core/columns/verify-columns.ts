import * as z from 'zod';
import { formatSeries, type Series } from '../market/series.ts';
import { addProblems, type Operation } from '../operate/operation.ts';
import { isoTime, timeRange } from '../operate/time-range.ts';
import { type FileCursor, inOrder, positionOf } from './file-order.ts';
import { FileStates, isMadeFrom } from './file-states.ts';
import type { ManifestSource } from './manifest.ts';
import { type ColumnFile, columnKey, MANIFESTS_PREFIX, parseManifestKey } from './objects.ts';
import type { ColumnMaker, ColumnStore } from './ports.ts';

const inputSchema = z.strictObject({
  ...timeRange,
  /** The pipeline's time: days that end later are not over. */
  now: isoTime,
  /** Series and days to count even if they agree, as `exchange:category:symbol YYYY-MM-DD`. */
  count: z.array(z.string()).optional(),
});

export type VerifyColumnsInput = z.infer<typeof inputSchema>;

/** A series' rows in a file. */
export interface SymbolComparison {
  symbol: string;
  /** Rows. */
  ndjson: number;
  parquet: number;
  /** Whether all their values are the same. */
  same: boolean;
}

/** One series on one day. */
export interface SeriesDay extends Series, SymbolComparison {
  /** `YYYY-MM-DD` */
  day: string;
}

/** What one slice compared. */
export interface VerifyColumnsOutput {
  /** Parquet files. */
  files: number;
  /** In the lake's NDJSON. */
  rows: number;
  seriesDays: number;
  /** Those that differ, and those that were to be counted. */
  counted: SeriesDay[];
  /** Files that are missing or not up to date, and what cannot be compared. */
  problems: string[];
}

export interface ColumnComparison {
  rows: number;
  /** Every symbol that either has. */
  symbols: SymbolComparison[];
  problems: string[];
}

export interface VerifyColumnsServices {
  readonly store: ColumnStore;
  readonly tickers: ColumnMaker;
  /** Compares every value of a file with the objects that it should be made from. */
  readonly compare: (file: ColumnFile, sources: readonly ManifestSource[]) => Promise<ColumnComparison>;
  /** Epoch ms. */
  readonly now: () => number;
}

/** In one slice: a Lambda can return 6 MB. */
const MOST_COUNTED = 5_000;

/** Compares the lake's Parquet files of tickers with its NDJSON: for each series and day, the rows and their values. */
export const verifyColumns: Operation<VerifyColumnsInput, VerifyColumnsOutput, VerifyColumnsServices> = {
  name: 'verify-columns',
  input: inputSchema,
  async slice(input, cursor, services, { deadlineMs }) {
    const { after = '', done = 0 } = (cursor as FileCursor | undefined) ?? {};
    const output: VerifyColumnsOutput = { files: 0, rows: 0, seriesDays: 0, counted: [], problems: [] };
    const states = new FileStates(services.store);
    const files = await filesIn(input, services);
    const asked = new Set(input.count);
    const left = files.filter((file) => positionOf(0, file) > after);
    const progress = { done, total: done + left.length, unit: 'files' };
    for (const file of left) {
      await verifyFile(file, asked, states, services, output);
      progress.done += 1;
      const isFull = output.counted.length >= MOST_COUNTED;
      if (services.now() >= deadlineMs || isFull) {
        return { cursor: { after: positionOf(0, file), done: progress.done }, progress, output };
      }
    }
    return { progress, output };
  },
};

/** Those that the lake has ticks for, and those that have a manifest. */
async function filesIn(
  input: VerifyColumnsInput,
  { store, tickers }: VerifyColumnsServices,
): Promise<ColumnFile[]> {
  const files = await tickers.files(Date.parse(input.now), input.exchange);
  const byKey = new Map(files.map((file) => [columnKey(file), file]));
  for await (const { key } of store.list(`${MANIFESTS_PREFIX}${tickers.table}/`)) {
    const file = parseManifestKey(key);
    if (file && (input.exchange ?? file.exchange) === file.exchange) byKey.set(columnKey(file), file);
  }
  return inOrder([...byKey.values()], input);
}

async function verifyFile(
  file: ColumnFile,
  asked: ReadonlySet<string>,
  states: FileStates,
  { compare, tickers }: VerifyColumnsServices,
  output: VerifyColumnsOutput,
): Promise<void> {
  const { sources, problems } = await tickers.sources(file);
  addProblems(output, problems);
  const isThere = await states.isThere(file);
  // Such as a day whose objects are all somebody else's.
  if (sources.length === 0 && !isThere) return;
  const key = columnKey(file);
  if (!isThere) {
    addProblems(output, [`${key} or its manifest is missing, although its day is over`]);
    return;
  }
  if (!isMadeFrom(await states.current(file), sources)) addProblems(output, [`${key} is not up to date`]);
  const found = await compare(file, sources);
  const { exchange, category, period: day } = file;
  output.files += 1;
  output.rows += found.rows;
  output.seriesDays += found.symbols.length;
  for (const symbol of found.symbols) {
    const each = { exchange, category, day, ...symbol };
    if (!symbol.same || asked.has(nameOf(each))) output.counted.push(each);
  }
  addProblems(output, found.problems);
}

/** How a series and day is named to be counted. */
export function nameOf(each: Series & { day: string }): string {
  return `${formatSeries(each)} ${each.day}`;
}
