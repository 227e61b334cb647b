import { type CandleSeries, candleFromTicks } from '../market/candle.ts';
import { HOUR_MS, hourOf } from '../market/time.ts';
import { hoursIn, isIn, isoWindow, touched, type Window, widened } from '../market/window.ts';
import { coverageOf, hoursCovered, pollCoverage } from './coverage.ts';
import { noDataOf } from './errors.ts';
import { highest, lowest } from './extremes.ts';
import { type Hour, loadHours, loadPaths, type PathHour } from './history.ts';
import type { SeriesStore } from './ports.ts';
import { type PaidPrices, paidPrices } from './statistics/paid-prices.ts';
import { type Trust, trustOf } from './trust.ts';
import { pathOf } from './window-moves.ts';
import { Reasons } from './without-data.ts';

/** Windows up to this long are answered from the ticks themselves, if all their hours have ticks. */
const LONGEST_TICK_WINDOW_HOURS = 48;

/** The average price over a window and its range. Prices are in the quote currency. */
export interface Average {
  /** Time-weighted mean. */
  mean: number;
  min: number;
  max: number;
  first: number;
  last: number;
  /** last / first − 1, a fraction. */
  change: number;
  /** Hours with data. */
  hours: number;
  expectedHours: number;
  /** The part of the window that has data, from 0 to 1. */
  coverage: number;
}

/**
 * The window that was answered (ISO 8601 UTC), the average over it, other prices paid, and how far to trust
 * them.
 */
export type AverageOver = { from: string; to: string } & Average & PaidPrices & Trust;

/**
 * The average price of a series over a window: of the ticks if the window has up to 48 hours that all come
 * from ticks (an hour's path is its ticks), otherwise of the hours that it overlaps. @throws NoAnswerError if
 * the window has no data
 */
export async function averageOver(
  store: SeriesStore,
  series: CandleSeries,
  window: Window,
  samplingIntervalMs: number,
): Promise<AverageOver> {
  const wide = widened(window);
  const answerFrom = async () => {
    if (hoursIn(window) > LONGEST_TICK_WINDOW_HOURS) {
      const hours = await loadHours(store, series, wide);
      return { hours, average: averageOfWholeHours(hours, wide, samplingIntervalMs) };
    }
    const hours = await loadPaths(store, series, touched(window));
    return { hours, average: averageOfHours(hours, window, samplingIntervalMs) };
  };
  const { hours, average } = await answerFrom();
  if (!average) throw noDataOf(series, window, await store.span(series));
  return new Reasons(store, series).explain(average, hours);
}

/**
 * {@link averageOver}, from hours that are already loaded.
 * @param hours of the series, by start, including every hour that the window touches
 * @returns undefined if the window has no data
 */
export function averageOfHours(
  hours: readonly PathHour[],
  window: Window,
  samplingIntervalMs: number,
): AverageOver | undefined {
  const answered = answeredWindow(hours, window);
  const inWindow = hoursTouched(hours, answered);
  return answered.exact
    ? averageOfSamples(inWindow, window, samplingIntervalMs)
    : averageOfWholeHours(inWindow, answered, samplingIntervalMs);
}

/**
 * The window that a question about a series is answered for: exactly the requested one if it has up to 48 hours that all
 * come from ticks, otherwise the whole hours that it touches.
 * @param hours of the series, including every hour that the window touches
 */
export function answeredWindow(
  hours: readonly Pick<Hour, 'startMs' | 'source'>[],
  window: Window,
): Window & { exact: boolean } {
  const exact =
    hoursIn(window) <= LONGEST_TICK_WINDOW_HOURS &&
    hoursTouched(hours, window).every(({ source }) => source === 'ticks');
  return { ...(exact ? window : widened(window)), exact };
}

/** @param hours by start */
export function hoursTouched<H extends Pick<Hour, 'startMs'>>(hours: readonly H[], window: Window): H[] {
  const whole = touched(window);
  return hours.filter(({ startMs }) => isIn(whole, startMs));
}

/**
 * The mean of the hourly means: every hour with data counts once.
 * @param hours in the window, by start
 * @param window of whole hours
 */
function averageOfWholeHours(
  hours: readonly Hour[],
  window: Window,
  samplingIntervalMs: number,
): AverageOver | undefined {
  const [first, last] = [hours[0]?.open, hours.at(-1)?.close];
  if (first === undefined || last === undefined) return undefined;
  const covered = hoursCovered(hours);
  return {
    ...isoWindow(window),
    mean: hours.reduce((sum, hour) => sum + hour.mean * hour.hours, 0) / covered,
    min: lowest(hours.map(({ low }) => low)),
    max: highest(hours.map(({ high }) => high)),
    first,
    last,
    change: last / first - 1,
    hours: covered,
    expectedHours: hoursIn(window),
    coverage: coverageOf(covered, window),
    ...paidPrices(hours, last),
    ...trustOf(hours, window, samplingIntervalMs),
  };
}

/** @param hours that the window touches, by start */
function averageOfSamples(
  hours: readonly PathHour[],
  window: Window,
  samplingIntervalMs: number,
): AverageOver | undefined {
  const samples = [...pathOf(hours)].filter(([timeMs]) => isIn(window, timeMs));
  const [first, last] = [samples[0]?.[1], samples.at(-1)?.[1]];
  if (first === undefined || last === undefined) return undefined;
  const prices = samples.map(([, price]) => price);
  return {
    ...isoWindow(window),
    mean: prices.reduce((sum, price) => sum + price, 0) / prices.length,
    min: lowest(prices),
    max: highest(prices),
    first,
    last,
    change: last / first - 1,
    hours: hoursSeen(samples, window),
    expectedHours: (window.toMs - window.fromMs) / HOUR_MS,
    coverage: pollCoverage(samples.length, hours, window, samplingIntervalMs),
    ...paidPrices(cutTo(window, hours), last),
    ...trustOf(hours, touched(window), samplingIntervalMs),
  };
}

/** The hours with samples; one at an edge of the window counts for the part of it in the window. */
function hoursSeen(samples: readonly (readonly [timeMs: number, price: number])[], window: Window): number {
  let seenMs = 0;
  for (const hourMs of new Set(samples.map(([timeMs]) => hourOf(timeMs)))) {
    seenMs += Math.min(hourMs + HOUR_MS, window.toMs) - Math.max(hourMs, window.fromMs);
  }
  return seenMs / HOUR_MS;
}

/** Hours from ticks, without the ticks outside the window. */
function cutTo(window: Window, hours: readonly PathHour[]): Hour[] {
  return hours.flatMap((hour) => {
    const ticks = hour.path.map(([offsetMs, price]) => ({ slotMs: hour.startMs + offsetMs, price }));
    const inside = ticks.filter(({ slotMs }) => isIn(window, slotMs));
    return inside.length === 0 ? [] : [candleFromTicks(hour, hour.startMs, inside)];
  });
}
