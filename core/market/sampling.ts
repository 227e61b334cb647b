import * as z from 'zod';
import { jsonText } from '../runtime/environment.ts';
import { CATEGORIES, formatMarket, type Market } from './series.ts';
import { HOUR_MS } from './time.ts';

/** Milliseconds between two polls, by `exchange:category`; `default` for every other market. */
export type SamplingIntervals = Readonly<Record<string, number>>;

const DEFAULT_INTERVAL_MS = 120_000;
/** No poll is due more often than this. */
export const SHORTEST_INTERVAL_MS = 1_000;

const key = z
  .string()
  .regex(new RegExp(`^(default|[^:]+:(${CATEGORIES.join('|')}))$`), 'expected exchange:category or default');

/** The environment variable `SAMPLING_INTERVALS`: JSON, e.g. `{"default":120000,"bybit:option":3600000}`. */
export const samplingIntervalsVariable = jsonText(
  z.record(key, z.number().min(SHORTEST_INTERVAL_MS)),
).prefault('{}');

/** The time between two polls of a market. */
export function samplingIntervalOf(market: Market, intervals: SamplingIntervals): number {
  return intervals[formatMarket(market)] ?? intervals.default ?? DEFAULT_INTERVAL_MS;
}

/** The intervals of what sources poll. If several poll the same market, the shortest interval counts. */
export function samplingIntervalsOf(
  sources: readonly {
    exchange: string;
    categories: readonly Market['category'][];
    samplingIntervalMs: number;
  }[],
): SamplingIntervals {
  const intervals: Record<string, number> = {};
  for (const { exchange, categories, samplingIntervalMs } of sources) {
    for (const category of categories) {
      const name = formatMarket({ exchange, category });
      intervals[name] = Math.min(samplingIntervalMs, intervals[name] ?? samplingIntervalMs);
    }
  }
  return intervals;
}

/** The markets of these exchanges that have an interval of their own. */
export function marketsIn(intervals: SamplingIntervals, exchanges: readonly string[]): Market[] {
  return exchanges.flatMap((exchange) =>
    CATEGORIES.map((category) => ({ exchange, category })).filter(
      (market) => formatMarket(market) in intervals,
    ),
  );
}

/** How many polls are due in the hour that starts at `hourMs`: one at each multiple of the interval. */
export function pollsDueInHour(hourMs: number, intervalMs: number): number {
  return Math.ceil((hourMs + HOUR_MS) / intervalMs) - Math.ceil(hourMs / intervalMs);
}

/**
 * How many of an hour's polls are due in a part of it, if they are spread evenly from its start.
 * @param fromMs where the part starts, in ms since the start of the hour
 * @param toMs where it ends, likewise; a poll at its end is not counted
 */
export function pollsDueInPart(pollsDue: number, fromMs: number, toMs: number): number {
  return Math.ceil((toMs * pollsDue) / HOUR_MS) - Math.ceil((fromMs * pollsDue) / HOUR_MS);
}
