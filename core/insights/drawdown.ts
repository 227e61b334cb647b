import type { CandleSeries } from '../market/candle.ts';
import { isIn, isoWindow, type Window, widened } from '../market/window.ts';
import { answeredWindow } from './average.ts';
import { noDataOf } from './errors.ts';
import { loadPaths, type PathHour } from './history.ts';
import type { SeriesFacts, SeriesPrices } from './ports.ts';
import { type Drawdowns, drawdownsOf } from './statistics/drawdown.ts';
import { pathOf } from './window-moves.ts';

/** The drawdowns over a window, ISO 8601 UTC. */
export type DrawdownOver = { from: string; to: string } & Drawdowns;

/** @throws NoAnswerError if the window has no data */
export async function drawdownOver(
  store: SeriesPrices & SeriesFacts,
  series: CandleSeries,
  window: Window,
): Promise<DrawdownOver> {
  const drawdowns = drawdownOfHours(await loadPaths(store, series, widened(window)), window);
  if (!drawdowns) throw noDataOf(series, window, await store.span(series));
  return drawdowns;
}

/**
 * {@link drawdownOver}, from hours that are already loaded: along their path, like moves.
 * @param hours of the series, by start, including every hour that the window touches
 * @returns undefined if the window has no data
 */
export function drawdownOfHours(hours: readonly PathHour[], window: Window): DrawdownOver | undefined {
  const { exact, ...answered } = answeredWindow(hours, window);
  const inWindow = hours.filter(({ startMs }) => isIn(widened(window), startMs));
  const path = [...pathOf(inWindow)].filter(([timeMs]) => !exact || isIn(window, timeMs));
  const drawdowns = drawdownsOf(path);
  return drawdowns && { ...isoWindow(answered), ...drawdowns };
}
