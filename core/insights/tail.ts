import { withLogReturn } from '../market/candle.ts';
import { formatSeries } from '../market/series.ts';
import { dayOf, HOUR_MS } from '../market/time.ts';
import { isIn, type Window } from '../market/window.ts';
import { highest, lowest } from './extremes.ts';
import { extentOf, hoursOf, withHourBefore } from './history.ts';
import type { HourOfSeries, MarketHours, Scope } from './ports.ts';

/** What ticks that are not summarised yet add to a series' candles. */
export interface Tail {
  /** Hours without a candle, from their ticks, with their log returns. */
  hours: HourOfSeries[];
  /** Candles that get a log return only because the hour before them is in `hours`. */
  returns: HourOfSeries[];
}

/**
 * What the ticks of a window of whole hours add to its candles, by series; series without such ticks are left out. All
 * series are summarised together, hour by hour, so only ticks from the last summarised hour on are read.
 */
export async function loadTails(
  store: MarketHours,
  scope: Scope,
  window: Window,
): Promise<Map<string, Tail>> {
  const fromMs = (await store.lastSummarisedHour(scope, window)) ?? withHourBefore(window).fromMs;
  const ticks = await store.hoursFromTicks(scope, { ...window, fromMs });
  const starts = ticks.map(({ startMs }) => startMs);
  const firstMs = lowest(starts);
  const lastMs = highest(starts);
  if (ticks.length === 0) return new Map();
  const candles = await store.hoursFromCandles(scope, {
    fromMs: firstMs - HOUR_MS,
    toMs: Math.min(window.toMs, dayOf(lastMs) + 24 * HOUR_MS),
  });
  const candlesBySeries = Map.groupBy(candles, formatSeries);
  const tails = [...Map.groupBy(ticks, formatSeries)].map(
    ([series, hours]) => [series, tailOf(hours, candlesBySeries.get(series) ?? [], window)] as const,
  );
  return new Map(tails.filter(([, { hours }]) => hours.length > 0));
}

function tailOf(tickHours: readonly HourOfSeries[], candles: readonly HourOfSeries[], window: Window): Tail {
  const covered = new Set(candles.map(extentOf).flatMap(hoursOf));
  const uncovered = new Set(tickHours.filter(({ startMs }) => !covered.has(startMs)));
  const all = [...candles, ...uncovered].sort((a, b) => a.startMs - b.startMs);
  const tail: Tail = { hours: [], returns: [] };
  for (const [index, hour] of all.entries()) {
    if (!isIn(window, hour.startMs)) continue;
    const complete = withLogReturn(hour, all[index - 1]);
    if (uncovered.has(hour)) tail.hours.push(complete);
    else if (hour.log_return === undefined && complete.log_return !== undefined) tail.returns.push(complete);
  }
  return tail;
}
