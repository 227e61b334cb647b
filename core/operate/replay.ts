import * as z from 'zod';
import { decodeLine } from '../index/decode.ts';
import type { IndexDocument } from '../index/ports.ts';
import type { StreamRecord } from '../ingest/ports.ts';
import { formatSeries } from '../market/series.ts';
import { parseTicker } from '../market/ticker.ts';
import {
  beginWalk,
  extentOf,
  marketsOf,
  moveOn,
  progressOf,
  restOf,
  type Stretch,
  type Walk,
  walkBatches,
} from './lake-walk.ts';
import type { Operation, OperationServices, Slice } from './operation.ts';
import { rangeMs, timeRange } from './time-range.ts';

const inputSchema = z.strictObject({
  ...timeRange,
  /** Straight to OpenSearch instead of through Kafka. @default false */
  direct: z.boolean().optional(),
});

/** What one slice brought out of the lake. */
export interface ReplayOutput {
  batches: number;
  tickers: number;
  /** Direct only: documents that were not there. */
  indexed: number;
  /** Direct only: documents that were. */
  alreadyThere: number;
  /** What cannot be indexed, and why: what cannot be read, what is no ticker, what OpenSearch refuses. */
  problems: string[];
}

/** OpenSearch did not take what the lake holds, for as long as we could wait. */
export class ReplayStoppedError extends Error {
  override readonly name = 'ReplayStoppedError';
}

/** Tickers that are sent at once: some 8 MB. */
const CHUNK_TICKERS = 10_000;
/** Chunks under way at once, so that the next is read while one is written. */
const CHUNKS_UNDER_WAY = 2;
/** How long a chunk may take, beyond the slice's own time. */
const CHUNK_MS = 20_000;
/** Of the problems of one slice; there may be as many as tickers. */
const MOST_PROBLEMS = 1_000;

/**
 * Reads the lake and brings its tickers to the index again: through the stream, as the polls did, or straight to
 * OpenSearch. The ids are those of the polls, so it may be done at any time, of any part, any number of times.
 */
export const replay: Operation<z.infer<typeof inputSchema>, ReplayOutput> = {
  name: 'replay',
  input: inputSchema,
  async slice(input, cursor, services, { deadlineMs }): Promise<Slice<ReplayOutput>> {
    const output: ReplayOutput = { batches: 0, tickers: 0, indexed: 0, alreadyThere: 0, problems: [] };
    const walk = (cursor as Walk | undefined) ?? (await begin(input, services));
    const write = input.direct ? writeToIndex : writeToStream;
    for (let rest = restOf(walk); rest; rest = restOf(walk)) {
      if (Date.now() >= deadlineMs) return { cursor: walk, progress: progressOf(walk), output };
      await replayStretch(rest, walk, deadlineMs, output, services, write);
    }
    return { progress: progressOf(walk), output };
  },
};

async function begin(
  { from, to, exchange }: z.infer<typeof inputSchema>,
  { lake }: OperationServices,
): Promise<Walk> {
  const range = rangeMs({ from, to });
  const stretches: Stretch[] = [];
  for (const market of await marketsOf(lake, exchange)) {
    const extent = await extentOf(lake, market);
    if (!extent) continue;
    const fromMs = Math.max(range.fromMs, extent.firstHourMs);
    const toMs = Math.min(range.toMs, extent.lastSlotMs + 1);
    if (fromMs < toMs) stretches.push({ ...market, fromMs, toMs });
  }
  return beginWalk(stretches);
}

type Write = (
  lines: readonly string[],
  services: OperationServices,
  deadlineMs: number,
) => Promise<Pick<ReplayOutput, 'indexed' | 'alreadyThere' | 'problems'>>;

/** Brings a stretch over, chunk by chunk, until it ends or the time is over; the walk says how far it came. */
async function replayStretch(
  stretch: Stretch,
  walk: Walk,
  deadlineMs: number,
  output: ReplayOutput,
  services: OperationServices,
  write: Write,
): Promise<void> {
  const underWay: Promise<void>[] = [];
  let lines: string[] = [];
  const send = (untilMs: number) => {
    const chunk = lines;
    lines = [];
    const before = underWay.at(-1) ?? Promise.resolve();
    const written = write(chunk, services, Math.max(deadlineMs, Date.now()) + CHUNK_MS).then(
      async (result) => {
        // The place moves on in order: everything before it is written.
        await before;
        output.tickers += chunk.length;
        output.indexed += result.indexed;
        output.alreadyThere += result.alreadyThere;
        addProblems(output, result.problems);
        moveOn(walk, untilMs);
      },
    );
    written.catch(() => undefined); // who awaits it is told
    underWay.push(written);
  };
  for await (const { address, lines: batch, problem } of walkBatches(services.lake, stretch)) {
    if (problem !== undefined) addProblems(output, [problem]);
    output.batches += 1;
    for (const line of batch) lines.push(line);
    if (lines.length < CHUNK_TICKERS || !address) continue;
    send(address.slotMs + 1);
    if (underWay.length >= CHUNKS_UNDER_WAY) await underWay.shift();
    if (Date.now() >= deadlineMs) {
      await Promise.all(underWay);
      return;
    }
  }
  send(stretch.toMs);
  await Promise.all(underWay);
}

function addProblems({ problems }: ReplayOutput, more: readonly string[]): void {
  problems.push(...more.slice(0, Math.max(0, MOST_PROBLEMS - problems.length)));
}

const writeToStream: Write = async (lines, { stream }, deadlineMs) => {
  const problems: string[] = [];
  const records: StreamRecord[] = [];
  for (const line of lines) {
    const parsed = parseTicker(line);
    if ('reason' in parsed) problems.push(`${parsed.reason} in ${line.slice(0, 200)}`);
    else records.push({ key: formatSeries(parsed.ticker), value: line });
  }
  if (records.length > 0) await stream.produce(records, deadlineMs);
  return { indexed: 0, alreadyThere: 0, problems };
};

const writeToIndex: Write = async (lines, { index }, deadlineMs) => {
  const written = { indexed: 0, alreadyThere: 0, problems: [] as string[] };
  /** Of the documents, in their order. */
  const ids: string[] = [];
  function* documents(): Generator<IndexDocument> {
    for (const line of lines) {
      const ticker = decodeLine(line);
      if ('reason' in ticker) written.problems.push(`${ticker.reason} in ${line.slice(0, 200)}`);
      else {
        ids.push(ticker.id);
        yield ticker;
      }
    }
  }
  for (const [position, outcome] of (await index.create(documents(), deadlineMs)).entries()) {
    switch (outcome.kind) {
      case 'stored':
        written.indexed += 1;
        break;
      case 'alreadyThere':
        written.alreadyThere += 1;
        break;
      case 'refused':
        written.problems.push(`${ids[position]}: ${outcome.reason}`);
        break;
      case 'retry':
        throw new ReplayStoppedError(
          `OpenSearch did not take all of it in time: ${outcome.reason}. Do the same again: it goes on where it stopped.`,
        );
      default:
        outcome satisfies never;
    }
  }
  return written;
};
