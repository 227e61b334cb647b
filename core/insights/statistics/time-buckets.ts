import { candleEndMs } from '../../market/candle.ts';
import { HOUR_MS } from '../../market/time.ts';
import { hoursIn, isIn, type Window } from '../../market/window.ts';
import { highest, lowest } from '../extremes.ts';
import type { Hour } from '../history.ts';

/** Several hours of a series combined for a chart; without prices if no hour has data. */
export interface TimeBucket {
  startMs: number;
  endMs: number;
  prices?: { mean: number; low: number; high: number };
}

const LENGTHS_HOURS = [1, 2, 6, 24, 48, 168] as const;

/**
 * Divides a window into at most this many parts of equal length, aligned to UTC and never shorter than a
 * candle.
 * @param hours of a series in the window, by start
 */
export function timeBuckets(hours: readonly Hour[], window: Window, most: number): TimeBucket[] {
  const longest = highest(hours.map((hour) => hour.hours));
  const fits = LENGTHS_HOURS.find((length) => length >= longest && hoursIn(window) / length <= most);
  const lengthMs = (fits ?? Math.ceil(hoursIn(window) / most / 24) * 24) * HOUR_MS;
  const startOf = (timeMs: number) => Math.floor(timeMs / lengthMs) * lengthMs;
  const inBucket = Map.groupBy(
    hours.filter(({ startMs }) => isIn(window, startMs)),
    ({ startMs }) => startOf(startMs),
  );
  const buckets: TimeBucket[] = [];
  const endMs = Math.min(window.toMs, candleEndMs(hours.at(-1) ?? { startMs: 0, hours: 1 }));
  for (let startMs = startOf(window.fromMs); startMs < endMs; startMs += lengthMs) {
    const found = inBucket.get(startMs);
    buckets.push({ startMs, endMs: startMs + lengthMs, ...(found ? { prices: pricesOf(found) } : {}) });
  }
  return buckets;
}

/** Every hour counts once. */
function pricesOf(hours: readonly Hour[]): NonNullable<TimeBucket['prices']> {
  const covered = hours.reduce((sum, hour) => sum + hour.hours, 0);
  return {
    mean: hours.reduce((sum, hour) => sum + hour.mean * hour.hours, 0) / covered,
    low: lowest(hours.map(({ low }) => low)),
    high: highest(hours.map(({ high }) => high)),
  };
}
