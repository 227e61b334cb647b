import {
  type Candle,
  type CandleSeries,
  candleEndMs,
  candleFromTicks,
  type PriceTick,
  withLogReturn,
} from '../market/candle.ts';
import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../market/time.ts';
import { isIn, type Window } from '../market/window.ts';
import type { SeriesPrices, SeriesSums } from './ports.ts';
import { type CandleTotals, mergeTotals, totalsOf } from './totals.ts';

export const ALL_TIME: Window = { fromMs: 0, toMs: Date.UTC(9999, 0) };

/**
 * A series' hours in a window, by start: its candles, and for an hour without a candle (not closed or not summarised
 * yet) a candle made from its ticks. Each has its log return to the hour before, if that is in the window.
 */
export async function loadHours(
  store: SeriesPrices,
  series: CandleSeries,
  window: Window,
): Promise<Candle[]> {
  // From the start of the day, because a daily candle may cover the window's first hours.
  const candles = await store.candles(series, { ...window, fromMs: dayOf(window.fromMs) });
  const ticks = await store.ticks(series, gapsBetween(candles.map(extentOf), window));
  const all = [...candles, ...candlesOf(series, ticks)].sort(byStart);
  return all
    .map((candle, index) => withLogReturn(candle, all[index - 1]))
    .filter(({ startMs }) => isIn(window, startMs));
}

/**
 * What {@link loadHours} would add up to, except for the log returns of hours without a candle. Reads only the ticks of
 * hours without a candle.
 */
export async function loadTotals(
  store: SeriesPrices & SeriesSums,
  series: CandleSeries,
  window: Window,
): Promise<CandleTotals | undefined> {
  const totals = await store.totals(series, window);
  const gaps = await gapsIn(store, series, window, totals);
  const tickHours = gaps.length === 0 ? [] : await store.tickHours(series, gaps);
  const [firstMs, lastMs] = [tickHours[0], tickHours.at(-1)];
  if (firstMs === undefined || lastMs === undefined) return totals;
  const around = { fromMs: dayOf(firstMs), toMs: lastMs + HOUR_MS };
  const covered = new Set((await store.covered(series, around)).flatMap(hoursOf));
  const hours = tickHours
    .filter((hourMs) => !covered.has(hourMs))
    .map((hourMs) => ({ fromMs: hourMs, toMs: hourMs + HOUR_MS }));
  const ticks = hours.length === 0 ? [] : await store.ticks(series, hours);
  return mergeTotals(totals, totalsOf(candlesOf(series, ticks)));
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

/** Where hours may lack a candle: days that are not full, and the time before and after the candles. */
async function gapsIn(
  store: SeriesSums,
  series: CandleSeries,
  window: Window,
  totals: CandleTotals | undefined,
): Promise<Window[]> {
  if (!totals) return [window];
  const inside = { fromMs: totals.first.startMs, toMs: totals.last.endMs };
  const isFull = totals.hours * HOUR_MS >= inside.toMs - inside.fromMs;
  return gapsBetween(isFull ? [inside] : await fullDays(store, series, inside), window);
}

async function fullDays(store: SeriesSums, series: CandleSeries, window: Window): Promise<Window[]> {
  const hoursByDay = await store.hoursByDay(series, window);
  return [...hoursByDay]
    .filter(([, hours]) => hours >= 24)
    .map(([dayMs]) => ({ fromMs: dayMs, toMs: dayMs + DAY_MS }));
}

function byStart(a: Candle, b: Candle): number {
  return a.startMs - b.startMs;
}
