import type { CandleSeries } from '../market/candle.ts';
import { type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import { formatSeries, parseSeries, type Series } from '../market/series.ts';
import { isoWindow, type Window } from '../market/window.ts';
import { NoAnswerError, placeOf, rangeText } from './errors.ts';
import { highest, lowest } from './extremes.ts';
import type { ChangePercentiles, ChangeStore, MarketTurnovers, Scope } from './ports.ts';
import { includedIn, type RankingOptions, type RankingScope } from './ranking.ts';

/** The percentiles of one series, and how much of the window they are from. */
export interface PercentilesOfSeries extends ChangePercentiles {
  /** Ticks that reported a change ÷ polls due in the window, at most 1. */
  coverage: number;
}

/** The percentiles over a window (ISO 8601 UTC), widest spread first. A ranking says which series it includes. */
export interface PercentilesOver extends Partial<RankingScope> {
  from: string;
  to: string;
  series: PercentilesOfSeries[];
}

/**
 * The percentiles of `price_24h_pcnt` over the ticks of the window: of one series, or of the `top` series in scope with
 * the widest spread.
 * @throws NoAnswerError if no tick in the window reports a 24 h change, or no series has enough of them
 */
export async function changePercentiles(
  { changes, market }: { changes: ChangeStore; market: MarketTurnovers },
  which: { series: CandleSeries } | ({ scope: Scope } & RankingOptions),
  window: Window,
  percents: readonly number[],
  samplingIntervals: SamplingIntervals,
): Promise<PercentilesOver> {
  const stated =
    'series' in which
      ? await percentilesOfOne(changes, which.series, window, percents)
      : await changes.changePercentiles(which.scope, window, percents);
  const found = stated.map((each) => ({
    ...each,
    coverage: Math.min(1, each.samples / pollsDue(parseSeries(each.series), window, samplingIntervals)),
  }));
  if (found.length === 0) {
    const of = 'series' in which ? formatSeries(which.series) : `anything ${placeOf(which.scope)}`;
    throw new NoAnswerError(
      'noData',
      `No tick of ${of} from ${rangeText(window)} reports a 24 h change. Percentiles come from ticks, which are kept for 90 days by default; candles do not have them.`,
    );
  }
  if ('series' in which) return { ...isoWindow(window), series: found };
  const { included, ...scopeOfRanking } = await includedIn(found, window, which, market);
  const ranked = included.sort((a, b) => spreadOf(b) - spreadOf(a) || (a.series < b.series ? -1 : 1));
  return { ...isoWindow(window), ...scopeOfRanking, series: ranked.slice(0, which.top) };
}

/** An empty list if the series' ticks report no 24 h change. */
export function percentilesOfOne(
  store: ChangeStore,
  { exchange, category, symbol }: CandleSeries,
  window: Window,
  percents: readonly number[],
): Promise<ChangePercentiles[]> {
  return store.changePercentiles({ exchange, category, symbol }, window, percents);
}

function pollsDue(series: Series, { fromMs, toMs }: Window, intervals: SamplingIntervals): number {
  const intervalMs = samplingIntervalOf(series, intervals);
  return Math.max(1, Math.ceil(toMs / intervalMs) - Math.ceil(fromMs / intervalMs));
}

function spreadOf({ percentiles }: ChangePercentiles): number {
  const values = Object.values(percentiles);
  return highest(values) - lowest(values);
}
