import type { CandleSeries } from '../market/candle.ts';
import { isIn, type Window, widened } from '../market/window.ts';
import { type AverageOver, averageOfHours } from './average.ts';
import { noDataOf } from './errors.ts';
import { ALL_TIME, loadPaths } from './history.ts';
import { type MovesOptions, type MovesOver, movesOfHours } from './moves.ts';
import { percentilesOfOne } from './percentiles.ts';
import type { InsightStores } from './ports.ts';
import { type Volatility, volatilityOfHours } from './volatility.ts';
import { Reasons } from './without-data.ts';

/** The answers to all other questions about one series and window. */
export interface SeriesComparison extends Volatility {
  average: AverageOver;
  moves: MovesOver;
  /** Of the 24 h change, by percent; null if no tick in the window reports it. */
  percentiles: Record<string, number> | null;
}

export interface CompareOptions extends MovesOptions {
  percents: readonly number[];
}

/** @throws NoAnswerError if the series has no data in the window */
export async function compareOne(
  { series: store, changes }: Pick<InsightStores, 'series' | 'changes'>,
  series: CandleSeries,
  window: Window,
  options: CompareOptions,
): Promise<SeriesComparison> {
  const { percents, samplingIntervalMs } = options;
  const [hours, [change]] = await Promise.all([
    loadPaths(store, series, ALL_TIME),
    percentilesOfOne(changes, series, window, percents),
  ]);
  const average = averageOfHours(hours, window, samplingIntervalMs);
  const moves = movesOfHours(hours, window, options);
  if (!average || !moves) throw noDataOf(series, window, await store.span(series));
  const reasons = new Reasons(store, series);
  return {
    average: await reasons.explain(average, hours),
    moves: await reasons.explain(moves, hours),
    ...volatilityOfHours(hours.filter(({ startMs }) => isIn(widened(window), startMs))),
    percentiles: change?.percentiles ?? null,
  };
}
