import type { Listing } from '../ingest/listings.ts';
import { formatSeries } from '../market/series.ts';
import { HOUR_MS } from '../market/time.ts';
import { coverageOf } from './coverage.ts';
import { endedSeries } from './ended.ts';
import { NoAnswerError, placeOf } from './errors.ts';
import { highest, lowest } from './extremes.ts';
import { ALL_TIME } from './history.ts';
import type { MarketExtents, MarketHours, MarketListings, Scope } from './ports.ts';
import { loadTails } from './tail.ts';

/** The data that exists for one series. */
export interface KnownSeries {
  /** `exchange:category:symbol` */
  series: string;
  /** Start of its first hour with data, ISO 8601 UTC. */
  first: string;
  /** Start of its last hour with data (or day, if history is daily), ISO 8601 UTC. */
  last: string;
  /** The first poll that found its market, where polls of the exchange had begun before; ISO 8601 UTC. */
  listed?: string;
  /** The first poll that did not find it any more, ISO 8601 UTC. Absent while the market exists. */
  delisted?: string;
  /** Whether its market is delisted, or goes on without it: `last` is more than two days before the last data of the market. */
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
  listings?: MarketListings,
): Promise<{ series: KnownSeries[] }> {
  const [extents, tails, existed] = await Promise.all([
    store.extents(scope),
    loadTails(store, scope, ALL_TIME),
    listings?.listings(scope).then(existence),
  ]);
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
      ...existed?.get(name),
      ended: ended.has(name) || existed?.get(name)?.delisted !== undefined,
      hours,
      coverage: coverageOf(hours, { fromMs: firstMs, toMs: endMs }),
    }));
  return { series };
}

type Existence = Pick<KnownSeries, 'listed' | 'delisted'>;

/** From when to when each market existed, by its series; one that came back exists again. */
function existence(listings: readonly Listing[]): Map<string, Existence> {
  const bySeries = new Map<string, Existence>();
  for (const listing of listings) {
    const name = formatSeries(listing);
    const before = bySeries.get(name);
    if (listing.event === 'ended') bySeries.set(name, { ...before, delisted: listing.at });
    // We saw it end earlier, so this is a return, not its first listing.
    else if (before) bySeries.set(name, before.listed === undefined ? {} : { listed: before.listed });
    else bySeries.set(name, { listed: listing.at });
  }
  return bySeries;
}
