import type { CandleSeries } from '../market/candle.ts';
import { isIn, isoWindow, type Window, widened } from '../market/window.ts';
import { loadAround } from './around.ts';
import { coverageOf, hoursCovered } from './coverage.ts';
import type { SeriesFacts, SeriesPrices } from './ports.ts';
import {
  type Period,
  type PeriodReturns,
  periodReturns,
  periodsAround,
} from './statistics/period-returns.ts';
import { type Trust, trustOf } from './trust.ts';
import { Reasons } from './without-data.ts';

/** The returns of the calendar periods that start in a window, ISO 8601 UTC. */
export interface ReturnsOver extends PeriodReturns, Trust {
  from: string;
  to: string;
  by: Period;
  /** The part of the window that has data, from 0 to 1. */
  coverage: number;
}

/** @throws NoAnswerError if the window has no data */
export async function returnsOver(
  store: SeriesPrices & SeriesFacts,
  series: CandleSeries,
  window: Window,
  by: Period,
  samplingIntervalMs: number,
): Promise<ReturnsOver> {
  const wide = widened(window);
  const hours = await loadAround(store, series, window, periodsAround(wide, by));
  const inWindow = hours.filter(({ startMs }) => isIn(wide, startMs));
  const returns = {
    ...isoWindow(wide),
    by,
    coverage: coverageOf(hoursCovered(inWindow), wide),
    ...periodReturns(hours, wide, by),
    ...trustOf(inWindow, wide, samplingIntervalMs),
  };
  return new Reasons(store, series).explain(returns, hours);
}
