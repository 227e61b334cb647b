import * as z from 'zod';
import { addProblems, type Operation, type Slice } from '../operate/operation.ts';
import { isoTime, timeRange } from '../operate/time-range.ts';
import type { Log } from '../runtime/log.ts';
import type { EmitMetrics } from '../runtime/metrics.ts';
import { type FileCursor, inOrder, positionOf } from './file-order.ts';
import { FileStates, isMadeFrom } from './file-states.ts';
import { MANIFEST_VERSION, type Manifest, type ManifestSource } from './manifest.ts';
import { type ColumnFile, columnKey, statesKey } from './objects.ts';
import type { ColumnMaker, ColumnStore, WrittenFile } from './ports.ts';

const inputSchema = z.strictObject({
  ...timeRange,
  /** The pipeline's time: periods that end later are not over. */
  now: isoTime,
  /** Passes over old files that are there, except those whose turn it is. @default false */
  scheduled: z.boolean().optional(),
  /** Makes files that are up to date, too. @default false */
  again: z.boolean().optional(),
  /** Only counts. @default false */
  dryRun: z.boolean().optional(),
});

export type CompactInput = z.infer<typeof inputSchema>;

export interface CompactServices {
  readonly store: ColumnStore;
  /** Those of a table that is made from another one come after it. */
  readonly makers: readonly ColumnMaker[];
  readonly log: Log;
  readonly emit: EmitMetrics;
  /** Epoch ms. */
  readonly now: () => number;
}

/** What one slice did. */
export interface CompactOutput {
  /** Files that were missing or older than what they are made from. */
  due: number;
  /** Those of them that are written now. */
  written: number;
  /** Rows in the files written. */
  rows: number;
  /** Lines of the files written that are not rows. */
  skipped: number;
  failed: number;
  upToDate: number;
  /** Failures, lines that are not rows, objects that cannot be read or do not belong where they are. */
  problems: string[];
}

/** So many files are looked at at once. */
const LOOKS_AT_ONCE = 16;
/** This many failures in a row mean a problem with the machine or the store, not with a file. */
const MOST_FAILURES = 3;

/**
 * Makes the Parquet files that are due, the oldest first: those of a table whose period is over and whose sources are not
 * those that the manifest names. First the file is written, then its manifest; killed in between, it is due again.
 */
export const compact: Operation<CompactInput, CompactOutput, CompactServices> = {
  name: 'compact',
  input: inputSchema,
  async slice(input, cursor, services, { deadlineMs }) {
    const { after = '', done = 0 } = (cursor as FileCursor | undefined) ?? {};
    const output: CompactOutput = {
      due: 0,
      written: 0,
      rows: 0,
      skipped: 0,
      failed: 0,
      upToDate: 0,
      problems: [],
    };
    const compaction = new Compaction(input, services, output);
    const progress = { done, total: done, unit: 'files' };
    for (const [rank, maker] of services.makers.entries()) {
      if (maker.isAgain && input.dryRun) continue;
      const found = inOrder(await maker.files(Date.parse(input.now), input.exchange), input);
      const files = found.map((file) => ({ file, position: positionOf(rank, file) }));
      const left = files.filter(({ position }) => position > after);
      progress.total += left.length;
      for (const looks of looksAtOnce(left)) {
        const states = await Promise.all(looks.map(({ file }) => compaction.look(file, maker)));
        for (const [index, { file, position }] of looks.entries()) {
          await compaction.bring(file, states[index] as Look, maker);
          progress.done += 1;
          // At least one file in each slice, however short.
          if (services.now() >= deadlineMs) return sliceUpTo(position, progress, output);
        }
      }
    }
    return { progress, output };
  },
};

/** Files of one period, because a month is made from the one before. */
function looksAtOnce<F extends { file: ColumnFile }>(files: readonly F[]): F[][] {
  return [...Map.groupBy(files, ({ file }) => file.period).values()].flatMap((ofPeriod) =>
    Array.from({ length: Math.ceil(ofPeriod.length / LOOKS_AT_ONCE) }, (_, at) =>
      ofPeriod.slice(at * LOOKS_AT_ONCE, (at + 1) * LOOKS_AT_ONCE),
    ),
  );
}

function sliceUpTo(
  after: string,
  progress: Slice<unknown>['progress'],
  output: CompactOutput,
): Slice<CompactOutput> {
  const cursor: FileCursor = { after, done: progress.done };
  return { cursor, progress, output };
}

/** What checking a file found. */
type Look =
  | { kind: 'due'; sources: ManifestSource[]; current: Manifest | undefined; problems: string[] }
  | { kind: 'upToDate'; problems: string[] }
  /** It has no sources, or was passed over. */
  | { kind: 'nothing'; problems: string[] };

const NOTHING_FOUND: Look = { kind: 'nothing', problems: [] };

/** The files of one slice. */
class Compaction {
  readonly #input: CompactInput;
  readonly #services: CompactServices;
  readonly #output: CompactOutput;
  readonly #states: FileStates;
  #failuresInARow = 0;

  constructor(input: CompactInput, services: CompactServices, output: CompactOutput) {
    this.#input = input;
    this.#services = services;
    this.#output = output;
    this.#states = new FileStates(services.store);
  }

  /** Whether a file is due. */
  async look(file: ColumnFile, maker: ColumnMaker): Promise<Look> {
    const { scheduled, again, now } = this.#input;
    const isLooked = !scheduled || maker.isWorthALook(file, Date.parse(now));
    if (!isLooked && (await this.#states.isThere(file))) return NOTHING_FOUND;
    const { sources, problems, areGone = false } = await maker.sources(file);
    const isToBeEmpty = areGone && (await this.#states.isThere(file));
    if (sources.length === 0 && !isToBeEmpty) return { kind: 'nothing', problems };
    const isForced = again && !maker.isAgain;
    const current = isForced ? undefined : await this.#states.current(file);
    return isMadeFrom(current, sources)
      ? { kind: 'upToDate', problems }
      : { kind: 'due', sources, current, problems };
  }

  /**
   * Counts what was found, and writes a file that is due. A failure is counted, and the next file follows.
   */
  async bring(file: ColumnFile, found: Look, maker: ColumnMaker): Promise<void> {
    const output = this.#output;
    addProblems(output, found.problems);
    if (found.kind === 'upToDate' && !maker.isAgain) output.upToDate += 1;
    if (found.kind !== 'due') return;
    output.due += 1;
    if (this.#input.dryRun) return;
    try {
      await this.#write(file, found, maker);
      this.#failuresInARow = 0;
    } catch (error) {
      output.failed += 1;
      this.#failuresInARow += 1;
      this.#services.log.error('A Parquet file could not be written', {
        key: columnKey(file),
        error: error as Error,
      });
      if (this.#failuresInARow >= MOST_FAILURES) throw error;
      addProblems(output, [`${columnKey(file)} could not be written: ${(error as Error).message}`]);
    }
  }

  async #write(
    file: ColumnFile,
    { sources, current }: Extract<Look, { kind: 'due' }>,
    maker: ColumnMaker,
  ): Promise<void> {
    const take = async (written: WrittenFile) => {
      const manifest = await this.#put(file, written, sources, current?.states);
      const { object, rows, skipped } = manifest;
      this.#states.wrote(file, manifest);
      this.#output.written += 1;
      this.#output.rows += rows;
      this.#output.skipped += skipped;
      addProblems(this.#output, written.problems);
      this.#services.log.info('Wrote a Parquet file', { key: object, rows, skipped });
    };
    await maker.write(file, sources, take, current);
  }

  /** @param known what is remembered for the next month, unless that changed */
  async #put(
    file: ColumnFile,
    written: WrittenFile,
    sources: ManifestSource[],
    known: Manifest['states'],
  ): Promise<Manifest> {
    const { store } = this.#services;
    const remembered = written.states && {
      object: statesKey(file),
      etag: await store.putStates(file, written.states.path),
      sha256: written.states.sha256,
    };
    const etag = await store.putFile(file, written.path);
    const object = columnKey(file);
    const manifest = {
      v: MANIFEST_VERSION,
      object,
      etag,
      ...written.content,
      states: remembered ?? known,
      sources,
    } as const;
    await store.putManifest(file, manifest);
    return manifest;
  }
}

/** A scheduled run: makes what is due, as time allows. The next run does the rest. */
export async function compactAsScheduled(
  nowMs: number,
  services: CompactServices,
  times: { deadlineMs: number; endMs: number },
): Promise<CompactOutput> {
  const input: CompactInput = { now: new Date(nowMs).toISOString(), scheduled: true };
  const { cursor, output } = await compact.slice(input, undefined, services, times);
  const budget = { deadlineMs: times.endMs };
  const isDone = cursor === undefined;
  const rest = isDone ? undefined : await compact.slice({ ...input, dryRun: true }, cursor, services, budget);
  const { written: FilesWritten, failed: FilesFailed, skipped: LinesSkipped } = output;
  const FilesDue = output.due - output.written + (rest?.output.due ?? 0);
  services.emit('compact', {}, { FilesWritten, FilesDue, FilesFailed, LinesSkipped });
  return { ...output, due: output.due + (rest?.output.due ?? 0) };
}
