import * as z from 'zod';
import { jsonText } from '../runtime/environment.ts';
import { CATEGORIES, formatMarket, type Market } from './series.ts';
import { HOUR_MS } from './time.ts';

/** Milliseconds between two polls, by `exchange:category`; `default` for every other market. */
export type SamplingIntervals = Readonly<Record<string, number>>;

const DEFAULT_INTERVAL_MS = 120_000;
/** No poll is due more often than this. */
export const SHORTEST_INTERVAL_MS = 1_000;

const names = `[^:]+:(${CATEGORIES.join('|')})(,(${CATEGORIES.join('|')}))*`;
const key = z
  .string()
  .regex(new RegExp(`^(default|${names})$`), 'expected exchanges:categories, with commas, or default');

/**
 * The environment variable `SAMPLING_INTERVALS`: JSON, e.g. `{"default":120000,"bybit,kraken:spot,option":3600000}`. Lambda
 * allows 4 KB for all variables of a function, so a key names all exchanges with the same categories and interval.
 */
export const samplingIntervalsVariable = jsonText(
  z.record(key, z.number().min(SHORTEST_INTERVAL_MS)).transform(ofEachMarket),
).prefault('{}');

function ofEachMarket(intervals: Record<string, number>): SamplingIntervals {
  return Object.fromEntries(
    Object.entries(intervals).flatMap(([key, interval]) => {
      const [exchanges = '', categories] = key.split(':');
      if (categories === undefined) return [[key, interval] as const];
      return exchanges
        .split(',')
        .flatMap((exchange) =>
          categories.split(',').map((category) => [`${exchange}:${category}`, interval] as const),
        );
    }),
  );
}

/** The value of {@link samplingIntervalsVariable}. */
export function samplingIntervalsText(intervals: SamplingIntervals): string {
  const { default: anyOther, ...markets } = intervals;
  const each = Object.entries(markets).map(([market, interval]) => {
    const [exchange = '', category = ''] = market.split(':');
    return { exchanges: exchange, categories: category, interval };
  });
  const byExchange = joined(each, ({ exchanges, interval }) => `${exchanges} ${interval}`, 'categories');
  const groups = joined(byExchange, ({ categories, interval }) => `${categories} ${interval}`, 'exchanges');
  return JSON.stringify({
    ...(anyOther === undefined ? {} : { default: anyOther }),
    ...Object.fromEntries(
      groups.map(({ exchanges, categories, interval }) => [`${exchanges}:${categories}`, interval]),
    ),
  });
}

interface Group {
  exchanges: string;
  categories: string;
  interval: number;
}

/** Groups that differ only in one of their parts become one. */
function joined(groups: readonly Group[], of: (group: Group) => string, part: 'exchanges' | 'categories') {
  return Object.values(Object.groupBy(groups, of)).map(
    (some = []): Group => ({ ...(some[0] as Group), [part]: some.map((group) => group[part]).join(',') }),
  );
}

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
