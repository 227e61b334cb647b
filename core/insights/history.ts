import {
  type Candle,
  type CandleSeries,
  candleEndMs,
  candleFromTicks,
  type PathlessCandle,
  type PriceTick,
  withLogReturn,
} from '../market/candle.ts';
import { HOUR_MS, hourOf } from '../market/time.ts';
import type { Window } from '../market/window.ts';
import type { SeriesPrices } from './ports.ts';

export const ALL_TIME: Window = { fromMs: 0, toMs: Date.UTC(9999, 0) };

/** What an hour (or a day) knows from the candle before it. */
interface InOrder {
  /** The close of the candle before it, however long ago; a series' first candle has none. */
  previousClose?: number;
}

/** An hour of a series, or a day where only daily history exists. */
export type Hour = PathlessCandle & InOrder;
/** The same with the path of its prices. */
export type PathHour = Candle & InOrder;

/**
 * A series' hours in a window, by start: its candles, and for an hour without a candle (not closed or not summarised
 * yet) a candle made from its ticks. Each has its log return to the hour before, also at the start of the window. Every
 * answer about one series is made of these.
 */
export async function loadHours(store: SeriesPrices, series: CandleSeries, window: Window): Promise<Hour[]> {
  return inOrder(store, series, window, store.pathlessCandles(series, window));
}

/** {@link loadHours} with the paths, which moves and exact edges need. */
export async function loadPaths(
  store: SeriesPrices,
  series: CandleSeries,
  window: Window,
): Promise<PathHour[]> {
  return inOrder(store, series, window, store.candles(series, window));
}

async function inOrder<C extends PathlessCandle>(
  store: SeriesPrices,
  series: CandleSeries,
  window: Window,
  reading: Promise<C[]>,
): Promise<((C | Candle) & InOrder)[]> {
  const [candles, candleBefore] = await Promise.all([reading, store.candleBefore(series, window.fromMs)]);
  // The candle before may be a daily one that covers the window's first hours.
  const earlier = candleBefore ? [candleBefore] : [];
  const gaps = gapsBetween([...earlier, ...candles].map(extentOf), withHourBefore(window));
  const ticked = candlesOf(series, await store.ticks(series, gaps));
  // Only what starts in the window is returned; an earlier candle needs no path.
  const all: (C | Candle)[] = [...(earlier as C[]), ...candles, ...ticked].sort(
    (a, b) => a.startMs - b.startMs,
  );
  const first = all.findIndex(({ startMs }) => startMs >= window.fromMs);
  return first < 0 ? [] : all.slice(first).map((candle, index) => following(all[first + index - 1], candle));
}

function following<C extends PathlessCandle>(previous: PathlessCandle | undefined, candle: C): C & InOrder {
  const complete = withLogReturn(candle, previous);
  return previous ? { ...complete, previousClose: previous.close } : complete;
}

/** The window and the hour before it, to which its first hour has a return. */
export function withHourBefore({ fromMs, toMs }: Window): Window {
  return { fromMs: fromMs - HOUR_MS, toMs };
}

/** @param ticks in time order */
function candlesOf(series: CandleSeries, ticks: readonly PriceTick[]): Candle[] {
  const byHour = Map.groupBy(ticks, ({ slotMs }) => hourOf(slotMs));
  return [...byHour].map(([hourMs, ticksOfHour]) => candleFromTicks(series, hourMs, ticksOfHour));
}

export function extentOf(candle: Pick<Candle, 'startMs' | 'hours'>): Window {
  return { fromMs: candle.startMs, toMs: candleEndMs(candle) };
}

/** The starts of a window's hours, epoch ms; the window starts on the hour. */
export function hoursOf({ fromMs, toMs }: Window): number[] {
  return Array.from({ length: (toMs - fromMs) / HOUR_MS }, (_, hour) => fromMs + hour * HOUR_MS);
}

/** The parts of a window that are not covered. @param covered ascending */
export function gapsBetween(covered: readonly Window[], window: Window): Window[] {
  const gaps: Window[] = [];
  let coveredToMs = window.fromMs;
  for (const { fromMs, toMs } of covered) {
    if (fromMs > coveredToMs) gaps.push({ fromMs: coveredToMs, toMs: fromMs });
    coveredToMs = Math.max(coveredToMs, toMs);
  }
  if (coveredToMs < window.toMs) gaps.push({ fromMs: coveredToMs, toMs: window.toMs });
  return gaps;
}
