import * as z from 'zod';
import { decodeLine } from '../index/decode.ts';
import type { IndexDocument } from '../index/ports.ts';
import type { StreamRecord } from '../ingest/ports.ts';
import { formatSeries } from '../market/series.ts';
import { parseTicker } from '../market/ticker.ts';
import {
  beginWalk,
  extendWalk,
  moveOn,
  stretchesIn,
  type Walk,
  walkBatches,
  walkSlice,
} from './lake-walk.ts';
import { addProblems, type Operation, type OperationServices } from './operation.ts';
import type { Stretch } from './ports.ts';
import { timeRange } from './time-range.ts';

const inputSchema = z.strictObject({
  ...timeRange,
  /** Straight to OpenSearch instead of through Kafka. @default false */
  direct: z.boolean().optional(),
});

/** What one slice read from the lake and wrote. */
export interface ReplayOutput {
  batches: number;
  tickers: number;
  /** Only with `direct`: documents that were missing. */
  indexed: number;
  /** Only with `direct`: documents that existed. */
  alreadyThere: number;
  /** What cannot be indexed and why: unreadable, not a ticker, or refused by OpenSearch. */
  problems: string[];
}

/** OpenSearch did not take everything in time. */
export class ReplayStoppedError extends Error {
  override readonly name = 'ReplayStoppedError';
}

/** Tickers sent at once: about 8 MB. */
const CHUNK_TICKERS = 10_000;
/** While one chunk is written, the next is read. */
const CHUNKS_UNDER_WAY = 2;
/** How long a chunk may take beyond the slice's own time. */
const CHUNK_MS = 20_000;

/**
 * Indexes the lake's tickers again: through the stream, as the polls did, or straight to OpenSearch. The ids are the
 * same as before, so any part may be replayed at any time, any number of times.
 */
export const replay: Operation<z.infer<typeof inputSchema>, ReplayOutput> = {
  name: 'replay',
  input: inputSchema,
  async resume(input, cursor, { lake }) {
    return extendWalk(cursor as Walk, await stretchesIn(input, lake));
  },
  async slice(input, cursor, services, { deadlineMs }) {
    const output: ReplayOutput = { batches: 0, tickers: 0, indexed: 0, alreadyThere: 0, problems: [] };
    const walk = (cursor as Walk | undefined) ?? beginWalk(await stretchesIn(input, services.lake));
    const write = input.direct ? writeToIndex : writeToStream;
    const hasTime = () => services.now() < deadlineMs;
    return walkSlice(walk, output, hasTime, (rest) =>
      replayStretch(rest, { walk, output, services, write, deadlineMs }),
    );
  },
};

type Write = (
  lines: readonly string[],
  services: OperationServices,
  deadlineMs: number,
) => Promise<Pick<ReplayOutput, 'indexed' | 'alreadyThere' | 'problems'>>;

interface Work {
  walk: Walk;
  output: ReplayOutput;
  services: OperationServices;
  write: Write;
  deadlineMs: number;
}

/** Writes a stretch chunk by chunk, until it or the time ends. */
async function replayStretch(stretch: Stretch, work: Work): Promise<void> {
  const { walk, output, services, write, deadlineMs } = work;
  const { now, lake } = services;
  const chunks: { untilMs: number; tickers: number; writing: ReturnType<Write> }[] = [];
  let lines: string[] = [];
  const send = (untilMs: number) => {
    const writing = write(lines, services, Math.max(deadlineMs, now()) + CHUNK_MS);
    writing.catch(() => undefined); // thrown when it is awaited
    chunks.push({ untilMs, tickers: lines.length, writing });
    lines = [];
  };
  // In order, so that everything before the walk's position is written.
  const finishUntil = async (underWay: number) => {
    while (chunks.length > underWay) {
      const { untilMs, tickers, writing } = chunks.shift() as (typeof chunks)[number];
      const { indexed, alreadyThere, problems } = await writing;
      output.tickers += tickers;
      output.indexed += indexed;
      output.alreadyThere += alreadyThere;
      addProblems(output, problems);
      moveOn(walk, untilMs);
    }
  };
  for await (const { address, lines: batch, problem } of walkBatches(lake, stretch)) {
    if (problem !== undefined) addProblems(output, [problem]);
    output.batches += 1;
    for (const line of batch) lines.push(line);
    if (lines.length < CHUNK_TICKERS || !address) continue;
    send(address.slotMs + 1);
    if (now() >= deadlineMs) return finishUntil(0);
    await finishUntil(CHUNKS_UNDER_WAY - 1);
  }
  send(stretch.toMs);
  await finishUntil(0);
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

const writeToIndex: Write = async (lines, { index, now }, deadlineMs) => {
  const nowMs = now();
  const written = { indexed: 0, alreadyThere: 0, problems: [] as string[] };
  /** Of the documents, in their order. */
  const ids: string[] = [];
  function* documents(): Generator<IndexDocument> {
    for (const line of lines) {
      const ticker = decodeLine(line, nowMs);
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
          `OpenSearch did not take everything in time: ${outcome.reason}. Run the same command again; it continues where it stopped.`,
        );
      default:
        outcome satisfies never;
    }
  }
  return written;
};
