import { type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import type { Market } from '../market/series.ts';
import { hourOf } from '../market/time.ts';

/** What watch reads. Times are epoch ms. */
export interface WatchedIndex {
  /** The slot of a market's newest searchable ticker; undefined if it has none. */
  newestSlot(market: Market): Promise<number | undefined>;
  /** Every hour that ends at or before this is summarised; undefined before the first. */
  summarisedUntil(): Promise<number | undefined>;
  /** How many hours of [fromMs, toMs) have ticks. */
  hoursWithTicks(fromMs: number, toMs: number): Promise<number>;
}

/** A category is stale if its newest ticker is older than this many polls. */
export const STALE_POLLS = 3;

export interface WatchReport {
  /** The age of each market's newest ticker, by its slot; markets without a ticker are left out. */
  newest: (Market & { ageSeconds: number })[];
  /** By exchange, how many of its categories are stale or have no ticker. */
  stale: Record<string, number>;
  /** Closed hours with ticks that are not summarised yet. */
  hoursBehind: number;
}

/**
 * Checks how fresh the index is. It looks at the end of the pipeline, so it notices whichever part has stopped.
 * @throws if the index cannot be read
 */
export async function watch(
  nowMs: number,
  markets: readonly Market[],
  intervals: SamplingIntervals,
  index: WatchedIndex,
): Promise<WatchReport> {
  const [slots, hoursBehind] = await Promise.all([
    Promise.all(markets.map(async (market) => ({ ...market, slotMs: await index.newestSlot(market) }))),
    hoursBehindAt(hourOf(nowMs), index),
  ]);
  const newest = slots.flatMap(({ slotMs, ...market }) =>
    // The poller's clock may be a little ahead.
    slotMs === undefined ? [] : [{ ...market, ageSeconds: Math.max(0, nowMs - slotMs) / 1_000 }],
  );
  const stale: Record<string, number> = {};
  for (const { slotMs = Number.NEGATIVE_INFINITY, ...market } of slots) {
    const isStale = nowMs - slotMs > STALE_POLLS * samplingIntervalOf(market, intervals);
    stale[market.exchange] = (stale[market.exchange] ?? 0) + (isStale ? 1 : 0);
  }
  return { newest, stale, hoursBehind };
}

async function hoursBehindAt(endMs: number, index: WatchedIndex): Promise<number> {
  const untilMs = (await index.summarisedUntil()) ?? 0;
  return untilMs < endMs ? index.hoursWithTicks(untilMs, endMs) : 0;
}
