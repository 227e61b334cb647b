import type { Absence } from '../completeness/absence.ts';
import { isIn, type Window } from '../market/window.ts';
import type { InsightStores } from './ports.ts';

/** The part of a window that is in the limits; empty if there is none. */
function clipped({ fromMs, toMs }: Window, limits: Window): Window {
  const from = Math.max(fromMs, limits.fromMs);
  return { fromMs: from, toMs: Math.max(from, Math.min(toMs, limits.toMs)) };
}

const NOTHING_KNOWN: Absence = { notListed: [], exchangeDown: new Set(), polls: undefined };

/** Hides all data outside the limits, so that two stores with different extents can be compared. */
export function within(stores: InsightStores, limits: Window): InsightStores {
  const { series, market, changes, listings, catalogue } = stores;
  const clip = (window: Window) => clipped(window, limits);
  const clipAll = (windows: readonly Window[]) =>
    windows.map(clip).filter(({ fromMs, toMs }) => fromMs < toMs);
  return {
    catalogue,
    series: {
      candles: (of, window) => series.candles(of, clip(window)),
      pathlessCandles: (of, window) => series.pathlessCandles(of, clip(window)),
      async candleBefore(of, timeMs) {
        const found = await series.candleBefore(of, Math.min(timeMs, limits.toMs));
        return found && isIn(limits, found.startMs) ? found : undefined;
      },
      ticks: (of, windows) => series.ticks(of, clipAll(windows)),
      async span(of) {
        const span = await series.span(of);
        return span && clipAll([span])[0];
      },
      quote: (of) => series.quote(of),
      async absence(of) {
        const found = await series.absence?.(of);
        const { firstMs, lastMs } = found?.polls ?? { firstMs: limits.toMs, lastMs: limits.fromMs };
        const first = Math.max(firstMs, limits.fromMs);
        const last = Math.min(lastMs, limits.toMs - 1);
        return {
          ...NOTHING_KNOWN,
          ...found,
          polls: first <= last ? { firstMs: first, lastMs: last } : undefined,
        };
      },
    },
    market: {
      lastSummarisedHour: (scope, window) => market.lastSummarisedHour(scope, clip(window)),
      hoursFromCandles: (scope, window) => market.hoursFromCandles(scope, clip(window)),
      hoursFromTicks: (scope, window) => market.hoursFromTicks(scope, clip(window)),
      extents: (scope, window) => market.extents(scope, window ? clip(window) : limits),
      totalsBySeries: (scope, window) => market.totalsBySeries(scope, clip(window)),
      tickTrades: (window) => market.tickTrades(clip(window)),
      candleTrades: (window) => market.candleTrades(clip(window)),
      moveCounts: (of, window) => market.moveCounts(of, clip(window)),
    },
    changes: {
      changePercentiles: (which, window, percents) =>
        changes.changePercentiles(which, clip(window), percents),
    },
    ...(listings && {
      listings: {
        listings: async (scope) =>
          (await listings.listings(scope)).filter(({ at }) => isIn(limits, Date.parse(at))),
      },
    }),
  };
}
