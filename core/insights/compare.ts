import type { CandleSeries } from '../market/candle.ts';
import { isIn, type Window, widened } from '../market/window.ts';
import { averageOfHours } from './average.ts';
import { noDataOf } from './errors.ts';
import { ALL_TIME, loadHours } from './history.ts';
import { type MovesOver, movesOver } from './moves.ts';
import { percentilesOfOne } from './percentiles.ts';
import type { InsightStores } from './ports.ts';
import { type AverageOver, totalsOf } from './totals.ts';
import { type Volatility, volatilityOf } from './volatility.ts';

/** Everything about one series over a window: what the other questions answer. */
export interface SeriesComparison extends Volatility {
  average: AverageOver;
  moves: MovesOver;
  /** Of the 24 h change, by percent; null where no tick in the window tells it. */
  percentiles: Record<string, number> | null;
}

export interface CompareOptions {
  window: Window;
  thresholds: readonly number[];
  percents: readonly number[];
  samplingIntervalMs: number;
}

/** @throws NoAnswerError where the series has no data in the window */
export async function compareOne(
  { series: store, changes }: Pick<InsightStores, 'series' | 'changes'>,
  series: CandleSeries,
  { window, thresholds, percents, samplingIntervalMs }: CompareOptions,
): Promise<SeriesComparison> {
  const [hours, [change]] = await Promise.all([
    loadHours(store, series, ALL_TIME),
    percentilesOfOne(changes, series, window, percents),
  ]);
  const average = averageOfHours(hours, window, samplingIntervalMs);
  const moves = movesOver(hours, window, thresholds, samplingIntervalMs);
  const totals = totalsOf(hours.filter(({ start }) => isIn(widened(window), Date.parse(start))));
  if (!average || !moves || !totals) throw noDataOf(series, window, await store.span(series));
  return {
    average,
    moves,
    ...volatilityOf(totals),
    percentiles: change
      ? Object.fromEntries(percents.map((percent, index) => [percent, change.values[index] as number]))
      : null,
  };
}
