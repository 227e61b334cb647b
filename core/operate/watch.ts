import { hourOf } from '../market/time.ts';

/** What is looked at. Times are epoch ms. */
export interface WatchedIndex {
  /** The slot of an exchange's newest ticker that can be searched; undefined where there is none. */
  newestSlot(exchange: string): Promise<number | undefined>;
  /** Every hour that ends at or before this is summarised; undefined before the first. */
  summarisedUntil(): Promise<number | undefined>;
  /** How many hours of [fromMs, toMs) hold ticks. */
  hoursWithTicks(fromMs: number, toMs: number): Promise<number>;
}

/** What was found. */
export interface WatchReport {
  /** How old each exchange's newest ticker is, by its slot; those without any ticker are left out. */
  newest: { exchange: string; ageSeconds: number }[];
  /** Closed hours that hold ticks and are not summarised yet. */
  hoursBehind: number;
}

/**
 * Looks how fresh the index is: what was polled, produced and indexed, but is not there, is missed here, whichever
 * part has stopped.
 * @param nowMs epoch ms
 * @throws what the index throws; then nothing is known
 */
export async function watch(
  nowMs: number,
  exchanges: readonly string[],
  index: WatchedIndex,
): Promise<WatchReport> {
  const [slots, hoursBehind] = await Promise.all([
    Promise.all(exchanges.map(async (exchange) => ({ exchange, slotMs: await index.newestSlot(exchange) }))),
    hoursBehindAt(hourOf(nowMs), index),
  ]);
  const newest = slots.flatMap(({ exchange, slotMs }) =>
    // The exchange's poller may have another clock, a little ahead.
    slotMs === undefined ? [] : [{ exchange, ageSeconds: Math.max(0, nowMs - slotMs) / 1_000 }],
  );
  return { newest, hoursBehind };
}

async function hoursBehindAt(endMs: number, index: WatchedIndex): Promise<number> {
  const untilMs = (await index.summarisedUntil()) ?? 0;
  return untilMs < endMs ? index.hoursWithTicks(untilMs, endMs) : 0;
}
