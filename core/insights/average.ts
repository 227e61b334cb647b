import type { Candle, CandleSeries } from '../market/candle.ts';
import { pollsDueInHour, pollsDueInPart } from '../market/sampling.ts';
import { HOUR_MS, hourOf } from '../market/time.ts';
import { hoursIn, isIn, isoWindow, type Window, widened } from '../market/window.ts';
import { noDataOf } from './errors.ts';
import { highest, lowest } from './extremes.ts';
import { loadHours, loadTotals } from './history.ts';
import type { SeriesStore } from './ports.ts';
import { type AverageOver, averageOfTotals, totalsOf } from './totals.ts';
import { pathOf } from './window-moves.ts';

/** Windows up to this long are answered from the ticks themselves, if all their hours have ticks. */
const LONGEST_TICK_WINDOW_HOURS = 48;

/**
 * The average price of a series over a window: of the ticks if the window has up to 48 hours that all come from ticks
 * (an hour's path is its ticks), otherwise of the hours that it touches.
 * @throws NoAnswerError if the window has no data
 */
export async function averageOver(
  store: SeriesStore,
  series: CandleSeries,
  window: Window,
  samplingIntervalMs: number,
): Promise<AverageOver> {
  const wide = widened(window);
  if (hoursIn(window) > LONGEST_TICK_WINDOW_HOURS) {
    const totals = await loadTotals(store, series, wide);
    if (!totals) throw noDataOf(series, window, await store.span(series));
    return averageOfTotals(totals, wide);
  }
  const average = averageOfHours(await loadHours(store, series, wide), window, samplingIntervalMs);
  if (!average) throw noDataOf(series, window, await store.span(series));
  return average;
}

/**
 * {@link averageOver}, from hours that are already loaded.
 * @param hours of the series, by start, including every hour that the window touches
 * @returns undefined if the window has no data
 */
export function averageOfHours(
  hours: readonly Candle[],
  window: Window,
  samplingIntervalMs: number,
): AverageOver | undefined {
  const answered = answeredWindow(hours, window);
  const inWindow = hours.filter(({ startMs }) => isIn(widened(window), startMs));
  if (answered.exact) return averageOfSamples(inWindow, window, samplingIntervalMs);
  const totals = totalsOf(inWindow);
  return totals && averageOfTotals(totals, answered);
}

/**
 * The window that a question about a series is answered for: exactly the requested one if it has up to 48 hours that all
 * come from ticks, otherwise the whole hours that it touches.
 * @param hours of the series, including every hour that the window touches
 */
export function answeredWindow(
  hours: readonly Pick<Candle, 'startMs' | 'source'>[],
  window: Window,
): Window & { exact: boolean } {
  const wide = widened(window);
  const exact =
    hoursIn(window) <= LONGEST_TICK_WINDOW_HOURS &&
    hours.every(({ startMs, source }) => source === 'ticks' || !isIn(wide, startMs));
  return { ...(exact ? window : wide), exact };
}

/** @param hours that the window touches, by start */
function averageOfSamples(
  hours: readonly Candle[],
  window: Window,
  samplingIntervalMs: number,
): AverageOver | undefined {
  const samples = [...pathOf(hours)].filter(([timeMs]) => isIn(window, timeMs));
  const [first, last] = [samples[0]?.[1], samples.at(-1)?.[1]];
  if (first === undefined || last === undefined) return undefined;
  const prices = samples.map(([, price]) => price);
  const due = pollsDueIn(hours, window, samplingIntervalMs);
  return {
    ...isoWindow(window),
    mean: prices.reduce((sum, price) => sum + price, 0) / prices.length,
    min: lowest(prices),
    max: highest(prices),
    first,
    last,
    change: last / first - 1,
    hours: new Set(samples.map(([timeMs]) => hourOf(timeMs))).size,
    expectedHours: (window.toMs - window.fromMs) / HOUR_MS,
    // A window shorter than the interval may contain a poll although none was due.
    coverage: Math.min(1, samples.length / Math.max(1, due)),
  };
}

/**
 * How many polls were due in a window: for each hour, what its candle says, otherwise what the configured interval
 * gives. An hour without data counts like the hour before it.
 */
function pollsDueIn(hours: readonly Candle[], { fromMs, toMs }: Window, samplingIntervalMs: number): number {
  const byHour = new Map(hours.map(({ startMs, polls_due }) => [startMs, polls_due]));
  let recorded = hours[0]?.polls_due;
  let due = 0;
  for (let hourMs = hourOf(fromMs); hourMs < toMs; hourMs += HOUR_MS) {
    if (byHour.has(hourMs)) recorded = byHour.get(hourMs);
    const inHour = recorded ?? pollsDueInHour(hourMs, samplingIntervalMs);
    due += pollsDueInPart(inHour, Math.max(0, fromMs - hourMs), Math.min(HOUR_MS, toMs - hourMs));
  }
  return due;
}
