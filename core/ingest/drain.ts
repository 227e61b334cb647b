import { isDeepStrictEqual } from 'node:util';
import { UnreadableObjectError } from '../lake/ndjson.ts';
import { type BatchAddress, tickersKey } from '../lake/ticker-objects.ts';
import { type Category, formatSeries } from '../market/series.ts';
import { parseTicker } from '../market/ticker.ts';
import type { Log } from '../runtime/log.ts';
import type { OutboxMarker, StreamRecord, TickerLake, TickerSource, TickerStream } from './ports.ts';
import type { PollReport } from './report.ts';

/** The slots (epoch ms) of each category that are in the lake and have to be produced. */
export type WaitingSlots = ReadonlyMap<Category, ReadonlySet<number>>;

export interface DrainDependencies {
  source: Pick<TickerSource, 'name' | 'exchange'>;
  lake: TickerLake;
  stream: TickerStream;
  log: Log;
  /** Epoch ms. */
  now: () => number;
}

export function countBatches(waiting: WaitingSlots): number {
  return [...waiting.values()].reduce((sum, slots) => sum + slots.size, 0);
}

/** The slot (epoch ms) up to which the stream has acknowledged a category; 0 if it has acknowledged nothing. */
export function acknowledgedUntilMs(marker: OutboxMarker, category: Category): number {
  const slot = marker.acknowledged[category]?.slot;
  return slot === undefined ? 0 : Date.parse(slot);
}

/**
 * Produces the waiting batches slot by slot and moves the marker as far as everything is acknowledged. Starts no slot
 * after the deadline.
 * @param fresh the records of this poll's slot, which need not be read from the lake
 * @param onProgress called after each slot
 */
export async function drain(
  waiting: WaitingSlots,
  fresh: { slotMs: number; records: ReadonlyMap<Category, StreamRecord[]> },
  marker: OutboxMarker,
  deadlineMs: number,
  { source, lake, stream, log, now }: DrainDependencies,
  onProgress: (
    soFar: Pick<PollReport, 'produced' | 'backlogBatches' | 'waitingBatches' | 'unreadable'>,
  ) => void,
): Promise<void> {
  const counts = { produced: 0, backlogBatches: 0, waitingBatches: countBatches(waiting) };
  const unreadable: string[] = [];
  const moved = structuredClone(marker);
  const slots = [...new Set([...waiting.values()].flatMap((each) => [...each]))].sort((a, b) => a - b);
  try {
    for (const slotMs of slots) {
      if (now() >= deadlineMs) break;
      const categories = [...waiting.keys()].filter((category) => waiting.get(category)?.has(slotMs));
      const batches = await Promise.all(
        categories.map(async (category) => {
          const own = slotMs === fresh.slotMs ? fresh.records.get(category) : undefined;
          if (own) return own;
          const { records, problems } = await readBatch(
            { exchange: source.exchange, category, slotMs },
            lake,
          );
          for (const problem of problems)
            log.error('The lake contains a batch that cannot be read', { problem });
          unreadable.push(...problems);
          return records;
        }),
      );
      await stream.produce(batches.flat(), deadlineMs);
      for (const [index, category] of categories.entries()) {
        const tickers = batches[index]?.length ?? 0;
        counts.produced += tickers;
        if (slotMs !== fresh.slotMs) counts.backlogBatches += 1;
        if (slotMs > acknowledgedUntilMs(moved, category)) {
          moved.acknowledged[category] = { slot: new Date(slotMs).toISOString(), tickers };
        }
      }
      counts.waitingBatches -= categories.length;
      onProgress({ ...counts, ...(unreadable.length > 0 ? { unreadable } : {}) });
    }
  } finally {
    // Batches acknowledged before a failure need not be produced again.
    if (!isDeepStrictEqual(moved, marker)) await lake.writeOutbox(source.name, moved);
  }
  if (counts.backlogBatches > 0 || counts.waitingBatches > 0) {
    const details = { source: source.name, ...counts };
    log.warn('The lake contained batches that the stream had not acknowledged', details);
  }
}

/** A batch's records, and what is wrong with the rest of it. */
async function readBatch(
  address: BatchAddress,
  lake: TickerLake,
): Promise<{ records: StreamRecord[]; problems: string[] }> {
  const records: StreamRecord[] = [];
  const problems: string[] = [];
  try {
    for (const [index, value] of ((await lake.readTickers(address)) ?? []).entries()) {
      const parsed = parseTicker(value);
      if ('ticker' in parsed) records.push({ key: formatSeries(parsed.ticker), value });
      else problems.push(`${tickersKey(address)}, line ${index + 1}: ${parsed.reason}`);
    }
  } catch (error) {
    if (!(error instanceof UnreadableObjectError)) throw error;
    problems.push(error.message);
  }
  return { records, problems };
}
