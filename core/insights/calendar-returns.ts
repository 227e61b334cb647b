import type { CandleSeries } from '../market/candle.ts';
import { isoWindow, type Window, widened } from '../market/window.ts';
import { loadAround } from './around.ts';
import type { SeriesFacts, SeriesPrices } from './ports.ts';
import {
  type Period,
  type PeriodReturns,
  periodReturns,
  periodsAround,
} from './statistics/period-returns.ts';

/** The returns of the calendar periods that start in a window, ISO 8601 UTC. */
export interface ReturnsOver extends PeriodReturns {
  from: string;
  to: string;
  by: Period;
}

/** @throws NoAnswerError if the window has no data */
export async function returnsOver(
  store: SeriesPrices & SeriesFacts,
  series: CandleSeries,
  window: Window,
  by: Period,
): Promise<ReturnsOver> {
  const wide = widened(window);
  const hours = await loadAround(store, series, window, periodsAround(wide, by));
  return { ...isoWindow(wide), by, ...periodReturns(hours, wide, by) };
}
