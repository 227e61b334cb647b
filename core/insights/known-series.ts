import { formatSeries } from '../market/series.ts';
import { HOUR_MS } from '../market/time.ts';
import { coverageOf } from './coverage.ts';
import { endedSeries } from './ended.ts';
import { NoAnswerError, placeOf } from './errors.ts';
import { highest, lowest } from './extremes.ts';
import { ALL_TIME } from './history.ts';
import type { MarketExtents, MarketHours, Scope } from './ports.ts';
import { loadTails } from './tail.ts';

/** The data that exists for one series. */
export interface KnownSeries {
  /** `exchange:category:symbol` */
  series: string;
  /** Start of its first hour with data, ISO 8601 UTC. */
  first: string;
  /** Start of its last hour with data (or day, if history is daily), ISO 8601 UTC. */
  last: string;
  /** Whether its market goes on without it: `last` is more than two days before the last data of the market. */
  ended: boolean;
  /** Hours with data. */
  hours: number;
  /** The part of the time between them that has data, from 0 to 1. */
  coverage: number;
}

/**
 * Every series in scope, sorted by name.
 * @throws NoAnswerError if there is none
 */
export async function knownSeries(
  store: MarketHours & MarketExtents,
  scope: Scope,
): Promise<{ series: KnownSeries[] }> {
  const [extents, tails] = await Promise.all([store.extents(scope), loadTails(store, scope, ALL_TIME)]);
  const known = new Map(extents.map(({ series, ...extent }) => [formatSeries(series), extent]));
  for (const [name, { hours }] of tails) {
    const starts = hours.map(({ startMs }) => startMs);
    const candles = known.get(name);
    const firstMs = Math.min(candles?.firstMs ?? Number.POSITIVE_INFINITY, lowest(starts));
    const lastMs = Math.max(candles?.lastMs ?? 0, highest(starts));
    known.set(name, {
      firstMs,
      lastMs,
      endMs: Math.max(candles?.endMs ?? 0, highest(starts) + HOUR_MS),
      hours: (candles?.hours ?? 0) + hours.length,
    });
  }
  if (known.size === 0) {
    throw new NoAnswerError('noData', `There is no data ${placeOf(scope)} yet.`);
  }
  const ended = endedSeries([...known].map(([series, { lastMs }]) => ({ series, lastMs })));
  const series = [...known]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { firstMs, lastMs, endMs, hours }]) => ({
      series: name,
      first: new Date(firstMs).toISOString(),
      last: new Date(lastMs).toISOString(),
      ended: ended.has(name),
      hours,
      coverage: coverageOf(hours, { fromMs: firstMs, toMs: endMs }),
    }));
  return { series };
}
