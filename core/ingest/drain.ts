import { UnreadableObjectError } from '../lake/ndjson.ts';
import { type BatchAddress, tickersKey } from '../lake/ticker-objects.ts';
import { type Category, formatSeries } from '../market/series.ts';
import { parseTicker } from '../market/ticker.ts';
import { MOST_BACKLOG_BATCHES, type PollBudget } from '../runtime/budgets.ts';
import type { Log } from '../runtime/log.ts';
import { acknowledge, type Outbox, summedUp } from './outbox.ts';
import type { StreamRecord, TickerLake, TickerSource, TickerStream } from './ports.ts';
import type { PollReport } from './report.ts';

export interface DrainDependencies {
  source: Pick<TickerSource, 'name' | 'exchange'>;
  lake: TickerLake;
  stream: TickerStream;
  log: Log;
  /** Epoch ms. */
  now: () => number;
}

/** This poll's slot, and its records, which need not be read from the lake. */
export interface FreshSlot {
  slotMs: number;
  records: ReadonlyMap<Category, StreamRecord[]>;
}

export function countBatches(outboxes: readonly Outbox[]): number {
  return outboxes.reduce((sum, { waiting }) => sum + waiting.size, 0);
}

/**
 * Produces this poll's slot, then the backlog slot by slot, until the deadline or {@link MOST_BACKLOG_BATCHES}. Then,
 * or if the stream fails, stores how far it got.
 * @param onProgress called after each slot
 */
export async function drain(
  outboxes: readonly Outbox[],
  fresh: FreshSlot,
  { deadlineMs, finishMs }: Pick<PollBudget, 'deadlineMs' | 'finishMs'>,
  dependencies: DrainDependencies,
  onProgress: (
    soFar: Pick<PollReport, 'produced' | 'backlogBatches' | 'waitingBatches'> & { unreadable: string[] },
  ) => void,
): Promise<void> {
  const { source, lake, log, now } = dependencies;
  const counts = { produced: 0, backlogBatches: 0 };
  const unreadable: string[] = [];
  try {
    for (const slotMs of slotsInOrder(outboxes, fresh.slotMs)) {
      const isFresh = slotMs === fresh.slotMs;
      if (now() >= deadlineMs || (!isFresh && counts.backlogBatches >= MOST_BACKLOG_BATCHES)) break;
      const concerned = outboxes.filter(({ waiting }) => waiting.has(slotMs));
      counts.produced += await produceSlot(concerned, slotMs, fresh, deadlineMs, dependencies, unreadable);
      if (!isFresh) counts.backlogBatches += concerned.length;
      onProgress({ ...counts, waitingBatches: countBatches(outboxes), unreadable });
    }
  } finally {
    // Batches acknowledged before a failure need not be produced again.
    await Promise.all(outboxes.map((outbox) => storeMarker(outbox, lake, finishMs)));
  }
  const waitingBatches = countBatches(outboxes);
  if (counts.backlogBatches > 0 || waitingBatches > 0) {
    const details = { source: source.name, ...counts, waitingBatches };
    log.warn('The lake contained batches that the stream had not acknowledged', details);
  }
}

/** The fresh slot, so that no backlog delays it, then the others, oldest first. */
function slotsInOrder(outboxes: readonly Outbox[], freshMs: number): number[] {
  const all = new Set(outboxes.flatMap(({ waiting }) => [...waiting]));
  const backlog = [...all].filter((each) => each !== freshMs).sort((a, b) => a - b);
  return all.has(freshMs) ? [freshMs, ...backlog] : backlog;
}

/** @returns the number of records */
async function produceSlot(
  outboxes: readonly Outbox[],
  slotMs: number,
  fresh: FreshSlot,
  deadlineMs: number,
  { lake, stream, log }: DrainDependencies,
  unreadable: string[],
): Promise<number> {
  const batches = await Promise.all(
    outboxes.map(async ({ market }) => {
      const own = slotMs === fresh.slotMs ? fresh.records.get(market.category) : undefined;
      if (own) return own;
      const { records, problems } = await readBatch({ ...market, slotMs }, lake, deadlineMs);
      for (const problem of problems) log.error('The lake contains a batch that cannot be read', { problem });
      unreadable.push(...problems);
      return records;
    }),
  );
  const records = batches.flat();
  await stream.produce(records, deadlineMs);
  for (const [index, outbox] of outboxes.entries()) acknowledge(outbox, slotMs, batches[index]?.length ?? 0);
  return records.length;
}

async function storeMarker(outbox: Outbox, lake: TickerLake, deadlineMs: number): Promise<void> {
  if (outbox.marker === outbox.stored) return;
  outbox.marker = summedUp(outbox);
  await lake.writeMarker(outbox.market, outbox.marker, deadlineMs);
  outbox.stored = outbox.marker;
}

/** A batch's records, and what is wrong with the rest of it. */
async function readBatch(
  address: BatchAddress,
  lake: TickerLake,
  deadlineMs: number,
): Promise<{ records: StreamRecord[]; problems: string[] }> {
  const records: StreamRecord[] = [];
  const problems: string[] = [];
  try {
    for (const [index, value] of ((await lake.readTickers(address, deadlineMs)) ?? []).entries()) {
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
