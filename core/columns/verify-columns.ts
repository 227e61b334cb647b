import * as z from 'zod';
import { formatSeries, type Series } from '../market/series.ts';
import { addProblems, type Operation } from '../operate/operation.ts';
import { isoTime, timeRange } from '../operate/time-range.ts';
import { type FileCursor, inOrder, positionOf } from './file-order.ts';
import { FileStates, isMadeFrom } from './file-states.ts';
import type { ManifestSource } from './manifest.ts';
import { type ColumnFile, columnKey, MANIFESTS_PREFIX, parseManifestKey } from './objects.ts';
import type { ColumnMaker, ColumnStore } from './ports.ts';
import { COLUMN_TABLES } from './tables.ts';

const inputSchema = z.strictObject({
  ...timeRange,
  table: z.enum(COLUMN_TABLES),
  /** The pipeline's time: periods that end later are not over. */
  now: isoTime,
  /** Series and periods to count even if they agree, as `exchange:category:symbol YYYY-MM-DD`. */
  count: z.array(z.string()).optional(),
});

export type VerifyColumnsInput = z.infer<typeof inputSchema>;

/** A series' rows in a file. */
export interface SymbolComparison {
  symbol: string;
  /** Rows that its sources give. */
  made: number;
  /** Rows in the lake's file. */
  parquet: number;
  /** Whether all their values are the same. */
  same: boolean;
}

/** One series in one file. */
export interface ComparedSeries extends ColumnFile, SymbolComparison {}

/** What one slice compared. */
export interface VerifyColumnsOutput {
  files: number;
  /** That their sources give. */
  rows: number;
  /** Each counts once in each file. */
  series: number;
  /** Those that differ, and those that were to be counted. */
  counted: ComparedSeries[];
  /** Files that are missing, damaged or not up to date, and what cannot be compared. */
  problems: string[];
}

export interface ColumnComparison {
  /** That the sources give. */
  rows: number;
  /** Every symbol that either has. */
  symbols: SymbolComparison[];
  /** Of the lake's file, in hex. @default it cannot be read */
  sha256?: string;
  problems: string[];
}

export interface VerifyColumnsServices {
  readonly store: ColumnStore;
  readonly makers: readonly ColumnMaker[];
  /** Compares every value of a file with what its maker makes of its sources. */
  readonly compare: (
    maker: ColumnMaker,
    file: ColumnFile,
    sources: readonly ManifestSource[],
  ) => Promise<ColumnComparison>;
  /** Epoch ms. */
  readonly now: () => number;
}

/** In one slice: a Lambda can return 6 MB. */
const MOST_COUNTED = 5_000;

/** Compares the Parquet files of a table with what they are made from: for each series and period, the rows and their values. */
export const verifyColumns: Operation<VerifyColumnsInput, VerifyColumnsOutput, VerifyColumnsServices> = {
  name: 'verify-columns',
  input: inputSchema,
  async slice(input, cursor, services, { deadlineMs }) {
    const { after = '', done = 0 } = (cursor as FileCursor | undefined) ?? {};
    const output: VerifyColumnsOutput = { files: 0, rows: 0, series: 0, counted: [], problems: [] };
    const states = new FileStates(services.store);
    const maker = services.makers.find(({ table, isAgain }) => table === input.table && !isAgain);
    if (!maker) throw new Error(`nothing makes ${input.table}`);
    const files = await filesIn(input, maker, services.store);
    const asked = new Set(input.count);
    const left = files.filter((file) => positionOf(0, file) > after);
    const progress = { done, total: done + left.length, unit: 'files' };
    for (const file of left) {
      await verifyFile(file, maker, asked, states, services, output);
      progress.done += 1;
      const isFull = output.counted.length >= MOST_COUNTED;
      if (services.now() >= deadlineMs || isFull) {
        return { cursor: { after: positionOf(0, file), done: progress.done }, progress, output };
      }
    }
    return { progress, output };
  },
};

/** Those that the lake has sources for, and those that have a manifest. */
async function filesIn(
  input: VerifyColumnsInput,
  maker: ColumnMaker,
  store: ColumnStore,
): Promise<ColumnFile[]> {
  const files = await maker.files(Date.parse(input.now), input.exchange);
  const byKey = new Map(files.map((file) => [columnKey(file), file]));
  for await (const { key } of store.list(`${MANIFESTS_PREFIX}${maker.table}/`)) {
    const file = parseManifestKey(key);
    if (file && (input.exchange ?? file.exchange) === file.exchange) byKey.set(columnKey(file), file);
  }
  return inOrder([...byKey.values()], input);
}

async function verifyFile(
  file: ColumnFile,
  maker: ColumnMaker,
  asked: ReadonlySet<string>,
  states: FileStates,
  { compare }: VerifyColumnsServices,
  output: VerifyColumnsOutput,
): Promise<void> {
  const { sources, problems } = await maker.sources(file);
  addProblems(output, problems);
  const key = columnKey(file);
  if (!(await states.isThere(file))) {
    // Without sources, such as a day whose objects are all somebody else's, there need not be one.
    if (sources.length > 0) addProblems(output, [`${key} or its manifest is missing`]);
    return;
  }
  const current = await states.current(file);
  if (!current) addProblems(output, [`${key} is damaged, or its manifest or what belongs to it`]);
  else if (!isMadeFrom(current, sources)) addProblems(output, [`${key} is not up to date`]);
  const found = await compare(maker, file, sources).catch((error: Error) => error);
  if (found instanceof Error) {
    addProblems(output, [`${key} cannot be made again to compare it: ${found.message}`]);
    return;
  }
  addProblems(output, found.problems);
  if (current && (found.sha256 ?? current.sha256) !== current.sha256) {
    addProblems(output, [`${key} is not the file that its manifest describes`]);
  }
  output.files += 1;
  output.rows += found.rows;
  output.series += found.symbols.length;
  for (const symbol of found.symbols) {
    const each = { ...file, ...symbol };
    if (!symbol.same || asked.has(nameOf(each))) output.counted.push(each);
  }
}

/** How a series and period is named to be counted. */
export function nameOf(each: Series & { period: string }): string {
  return `${formatSeries(each)} ${each.period}`;
}
