import { bulkhead } from 'cockatiel';
import { type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import { parseSeries } from '../market/series.ts';
import { isIn, type Window, widened } from '../market/window.ts';
import { daysAround } from './around.ts';
import { loadHours } from './history.ts';
import type { SeriesPrices } from './ports.ts';
import { type CandleVolatility, candleVolatility } from './statistics/candle-volatility.ts';
import { type Trust, trustOf } from './trust.ts';
import type { VolatileOver, VolatileSeries } from './volatile.ts';

/** A ranking whose first series have further estimates of their volatility, and how far to trust them. */
export interface DetailedVolatileOver extends Omit<VolatileOver, 'series'> {
  series: (VolatileSeries & Partial<CandleVolatility & Trust>)[];
}

/** Reading a series' candles takes as long as answering a question about it. */
const MOST_DETAILED = 50;
const DETAILED_AT_ONCE = 4;

/** Adds the estimates that need a series' own candles, which the ranking itself does not read, to its first 50 series. */
export async function withCandleVolatility(
  store: SeriesPrices,
  ranking: VolatileOver,
  window: Window,
  samplingIntervals: SamplingIntervals,
): Promise<DetailedVolatileOver> {
  const wide = widened(window);
  const places = bulkhead(DETAILED_AT_ONCE, Number.POSITIVE_INFINITY);
  const detailed = async (each: VolatileSeries): Promise<DetailedVolatileOver['series'][number]> => {
    const of = parseSeries(each.series);
    const hours = await loadHours(store, of, daysAround(wide));
    const inWindow = hours.filter(({ startMs }) => isIn(wide, startMs));
    if (inWindow.length === 0) return each;
    const trust = trustOf(inWindow, wide, samplingIntervalOf(of, samplingIntervals));
    return { ...each, ...candleVolatility(hours, wide), ...trust };
  };
  const series = await Promise.all(
    ranking.series.map((each, index) =>
      index < MOST_DETAILED ? places.execute(() => detailed(each)) : each,
    ),
  );
  return { ...ranking, series };
}
