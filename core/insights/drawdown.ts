import type { CandleSeries } from '../market/candle.ts';
import { isIn, isoWindow, touched, type Window } from '../market/window.ts';
import { answeredWindow, hoursTouched } from './average.ts';
import { coverageOf, hoursCovered, pollCoverage } from './coverage.ts';
import { noDataOf } from './errors.ts';
import { loadPaths, type PathHour } from './history.ts';
import type { SeriesFacts, SeriesPrices } from './ports.ts';
import { type Drawdowns, drawdownsOf } from './statistics/drawdown.ts';
import { type Trust, trustOf } from './trust.ts';
import { pathOf } from './window-moves.ts';
import { Reasons } from './without-data.ts';

/** The drawdowns over a window, ISO 8601 UTC, and how much they can be trusted; `coverage` is from 0 to 1. */
export type DrawdownOver = { from: string; to: string; coverage: number } & Drawdowns & Trust;

/** @throws NoAnswerError if the window has no data */
export async function drawdownOver(
  store: SeriesPrices & SeriesFacts,
  series: CandleSeries,
  window: Window,
  samplingIntervalMs: number,
): Promise<DrawdownOver> {
  const hours = await loadPaths(store, series, touched(window));
  const drawdowns = drawdownOfHours(hours, window, samplingIntervalMs);
  if (!drawdowns) throw noDataOf(series, window, await store.span(series));
  return new Reasons(store, series).explain(drawdowns, hours);
}

/**
 * {@link drawdownOver}, from hours that are already loaded: along their path, like moves.
 * @param hours of the series, by start, including every hour that the window touches
 * @returns undefined if the window has no data
 */
export function drawdownOfHours(
  hours: readonly PathHour[],
  window: Window,
  samplingIntervalMs: number,
): DrawdownOver | undefined {
  const { exact, ...answered } = answeredWindow(hours, window);
  const inWindow = hoursTouched(hours, answered);
  const path = [...pathOf(inWindow)].filter(([timeMs]) => !exact || isIn(window, timeMs));
  const drawdowns = drawdownsOf(path);
  return (
    drawdowns && {
      ...isoWindow(answered),
      coverage: exact
        ? pollCoverage(path.length, inWindow, window, samplingIntervalMs)
        : coverageOf(hoursCovered(inWindow), answered),
      ...drawdowns,
      ...trustOf(inWindow, touched(answered), samplingIntervalMs),
    }
  );
}
