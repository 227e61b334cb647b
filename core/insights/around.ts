import type { CandleSeries } from '../market/candle.ts';
import { DAY_MS, dayOf } from '../market/time.ts';
import { isIn, type Window, widened } from '../market/window.ts';
import { noDataOf } from './errors.ts';
import { type Hour, loadHours } from './history.ts';
import type { SeriesFacts, SeriesPrices } from './ports.ts';

/** The whole UTC days that a window touches, and the day before. */
export function daysAround({ fromMs, toMs }: Window): Window {
  return { fromMs: dayOf(fromMs) - DAY_MS, toMs: dayOf(toMs - 1) + DAY_MS };
}

/**
 * The hours of a series in and around a window.
 * @param around which hours to load; includes the window
 * @throws NoAnswerError if the window itself has no data
 */
export async function loadAround(
  store: SeriesPrices & SeriesFacts,
  series: CandleSeries,
  window: Window,
  around: Window,
): Promise<Hour[]> {
  const hours = await loadHours(store, series, around);
  if (hours.some(({ startMs }) => isIn(widened(window), startMs))) return hours;
  throw noDataOf(series, window, await store.span(series));
}
