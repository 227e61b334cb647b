import type { CandleSeries } from '../market/candle.ts';
import { type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import { formatSeries, parseSeries, type Series } from '../market/series.ts';
import { daysIn, isIn, isoWindow, type Window, widened } from '../market/window.ts';
import { daysAround, loadAround } from './around.ts';
import { coverageOf, hoursCovered } from './coverage.ts';
import { NoAnswerError, placeOf, rangeText } from './errors.ts';
import { highest, lowest } from './extremes.ts';
import type { Hour } from './history.ts';
import type {
  ChangePercentiles,
  ChangeStore,
  MarketTurnovers,
  Scope,
  SeriesFacts,
  SeriesPrices,
} from './ports.ts';
import { includedIn, type RankingOptions, type RankingScope } from './ranking.ts';
import { dayLongChanges } from './statistics/day-change.ts';
import { quantiles } from './statistics/quantiles.ts';
import { type Trust, trustOf } from './trust.ts';

/** The percentiles of one series, and how much of the window they are from. */
export interface PercentilesOfSeries extends Omit<ChangePercentiles, 'lastMs'>, Partial<Trust> {
  /** The window's length ÷ 24 h: overlapping 24 h changes add little information to separate ones. */
  effectiveSamples: number;
  /** Ticks that reported a change ÷ polls due in the window, at most 1; from candles, hours with data ÷ its hours. */
  coverage: number;
}

/** The percentiles over a window (ISO 8601 UTC), widest spread first. A ranking says which series it includes. */
export interface PercentilesOver extends Partial<RankingScope> {
  from: string;
  to: string;
  /** Where the changes come from: reported with each tick, or between the closes of candles. */
  basis: 'ticks' | 'candles';
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
    effectiveSamples: daysIn(window),
    coverage: Math.min(1, each.samples / pollsDue(parseSeries(each.series), window, samplingIntervals)),
  }));
  if (found.length === 0) {
    const of = 'series' in which ? formatSeries(which.series) : `anything ${placeOf(which.scope)}`;
    throw new NoAnswerError(
      'noData',
      `No tick of ${of} from ${rangeText(window)} reports a 24 h change. Ticks are kept for 90 days by default; --from-candles computes the changes from closes instead.`,
    );
  }
  if ('series' in which) return { ...isoWindow(window), basis: 'ticks', series: found.map(shown) };
  const { included, ...scopeOfRanking } = await includedIn(found, window, which, market);
  const ranked = included.sort((a, b) => spreadOf(b) - spreadOf(a) || (a.series < b.series ? -1 : 1));
  return {
    ...isoWindow(window),
    basis: 'ticks',
    ...scopeOfRanking,
    series: ranked.slice(0, which.top).map(shown),
  };
}

/**
 * The percentiles of the 24 h changes between a series' closes, which outlive its ticks.
 * @throws NoAnswerError if no close in the window has one 24 hours before it
 */
export async function changePercentilesFromCandles(
  store: SeriesPrices & SeriesFacts,
  series: CandleSeries,
  window: Window,
  percents: readonly number[],
  samplingIntervalMs: number,
): Promise<PercentilesOver> {
  const wide = widened(window);
  const hours = await loadAround(store, series, window, daysAround(wide));
  const found = candlePercentiles(hours, wide, percents);
  if (!found) {
    throw new NoAnswerError(
      'noData',
      `No close of ${formatSeries(series)} from ${rangeText(wide)} has one 24 hours before it.`,
    );
  }
  const inWindow = hours.filter(({ startMs }) => isIn(wide, startMs));
  const trusted = { ...found, ...trustOf(inWindow, wide, samplingIntervalMs) };
  return { ...isoWindow(wide), basis: 'candles', series: [{ series: formatSeries(series), ...trusted }] };
}

/**
 * @param hours of the series, by start, including the day before the window
 * @param window of whole hours
 * @returns undefined if no close in the window has one 24 hours before it
 */
export function candlePercentiles(
  hours: readonly Hour[],
  window: Window,
  percents: readonly number[],
): Omit<PercentilesOfSeries, 'series'> | undefined {
  const changes = dayLongChanges(hours, window);
  if (changes.length === 0) return undefined;
  const values = quantiles(
    changes,
    percents.map((percent) => percent / 100),
  );
  return {
    samples: changes.length,
    effectiveSamples: daysIn(window),
    coverage: coverageOf(hoursCovered(hours.filter(({ startMs }) => isIn(window, startMs))), window),
    percentiles: Object.fromEntries(percents.map((percent, index) => [percent, values[index] as number])),
  };
}

function shown<P extends ChangePercentiles>({ lastMs, ...percentiles }: P): Omit<P, 'lastMs'> {
  return percentiles;
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
