import type { CandleSeries } from '../market/candle.ts';
import { isIn, isoWindow, type Window, widened, windowBefore } from '../market/window.ts';
import { type AverageOver, averageOfHours } from './average.ts';
import type { CompareOptions } from './compare.ts';
import { type DrawdownOver, drawdownOfHours } from './drawdown.ts';
import { noDataOf } from './errors.ts';
import { ALL_TIME, loadPaths, type PathHour } from './history.ts';
import { type MovesOver, movesOfHours } from './moves.ts';
import { candlePercentiles, type PercentilesOfSeries } from './percentiles.ts';
import type { SeriesFacts, SeriesPrices } from './ports.ts';
import { type CandleVolatility, candleVolatility } from './statistics/candle-volatility.ts';
import { type PeriodReturns, periodReturns } from './statistics/period-returns.ts';
import { type Volatility, volatilityOfHours } from './volatility.ts';
import { Reasons } from './without-data.ts';

/** The windows of the profile's averages, each ending where the profile ends. */
export const PROFILE_AVERAGES = ['1h', '24h', '7d', '30d', '90d', '1y', '2y'] as const;

/** Every answer about one series over a window; times are ISO 8601 UTC. */
export interface Profile {
  from: string;
  to: string;
  /** By duration; null where that window has no data. */
  averages: Record<(typeof PROFILE_AVERAGES)[number], AverageOver | null>;
  average: AverageOver;
  moves: MovesOver;
  volatility: Volatility & CandleVolatility;
  drawdown: DrawdownOver;
  /** Of the months. */
  returns: PeriodReturns;
  /** Of the 24 h changes between closes; null if no close has one 24 hours before it. */
  percentiles: Omit<PercentilesOfSeries, 'series'> | null;
}

/**
 * Reads the whole history of a series once.
 * @throws NoAnswerError if the window has no data
 */
export async function profileOf(
  store: SeriesPrices & SeriesFacts,
  series: CandleSeries,
  window: Window,
  options: CompareOptions,
): Promise<Profile> {
  const hours = await loadPaths(store, series, ALL_TIME);
  const profile = profileOfHours(hours, window, options);
  if (!profile) throw noDataOf(series, window, await store.span(series));
  return explainedProfile(profile, hours, new Reasons(store, series));
}

/** The profile, with the reasons why parts of its windows have no data. */
export async function explainedProfile(
  profile: Profile,
  hours: readonly PathHour[],
  reasons: Reasons,
): Promise<Profile> {
  const averages = { ...profile.averages };
  for (const over of PROFILE_AVERAGES) {
    const average = averages[over];
    if (average) averages[over] = await reasons.explain(average, hours);
  }
  return {
    ...profile,
    averages,
    average: await reasons.explain(profile.average, hours),
    moves: await reasons.explain(profile.moves, hours),
    drawdown: await reasons.explain(profile.drawdown, hours),
  };
}

/**
 * {@link profileOf}, from hours that are already loaded.
 * @param hours all hours of the series, by start
 * @returns undefined if the window has no data
 */
export function profileOfHours(
  hours: readonly PathHour[],
  window: Window,
  options: CompareOptions,
): Profile | undefined {
  const wide = widened(window);
  const inWindow = hours.filter(({ startMs }) => isIn(wide, startMs));
  const averageOver = (over: Window) => averageOfHours(hours, over, options.samplingIntervalMs);
  const average = averageOver(window);
  const moves = movesOfHours(hours, window, options);
  const drawdown = drawdownOfHours(hours, window, options.samplingIntervalMs);
  if (!average || !moves || !drawdown) return undefined;
  const averages = PROFILE_AVERAGES.map(
    (over) => [over, averageOver(windowBefore(window.toMs, over)) ?? null] as const,
  );
  return {
    ...isoWindow(wide),
    averages: Object.fromEntries(averages) as Profile['averages'],
    average,
    moves,
    volatility: { ...volatilityOfHours(inWindow), ...candleVolatility(hours, wide) },
    drawdown,
    returns: periodReturns(hours, wide, 'month'),
    percentiles: candlePercentiles(hours, wide, options.percents) ?? null,
  };
}
