import type { PathHour } from '../core/insights/history.ts';
import type { Profile } from '../core/insights/profile.ts';
import { DEFAULT_THRESHOLDS } from '../core/insights/question.ts';
import { underWater } from '../core/insights/statistics/drawdown.ts';
import { waitHoursOf } from '../core/insights/statistics/move-timing.ts';
import { periodReturns } from '../core/insights/statistics/period-returns.ts';
import { type TimeBucket, timeBuckets } from '../core/insights/statistics/time-buckets.ts';
import { pathOf } from '../core/insights/window-moves.ts';
import { movesOf } from '../core/market/directional-change.ts';
import { isIn, type Window } from '../core/market/window.ts';

/** About as many as a chart has pixels for. */
const MOST_BUCKETS = 400;

/** The upper edges of the bins of waiting times, in hours, and their names. */
const WAIT_BINS: readonly [belowHours: number, name: string][] = [
  [1, 'under 1 h'],
  [2, '1–2 h'],
  [4, '2–4 h'],
  [8, '4–8 h'],
  [24, '8–24 h'],
  [48, '1–2 days'],
  [96, '2–4 days'],
  [168, '4–7 days'],
  [336, '1–2 weeks'],
  [672, '2–4 weeks'],
  [Number.POSITIVE_INFINITY, 'over 4 weeks'],
];

/**
 * The rows of the pictures about one series, from the hours that its profile is made of.
 * @param hours all hours of the series, by start
 * @param window of whole hours
 */
export function profileRows(
  hours: readonly PathHour[],
  profile: Profile,
  window: Window,
): Record<string, unknown[]> {
  const inWindow = hours.filter(({ startMs }) => isIn(window, startMs));
  const buckets = timeBuckets(inWindow, window, MOST_BUCKETS);
  return {
    prices: buckets.map(({ startMs, prices }) => ({ time: startMs, mean: null, ...prices })),
    levels: [levelsOf(profile)],
    underWater: deepest(buckets, inWindow),
    worst: profile.drawdown.worst,
    days: periodReturns(hours, window, 'day').periods,
    months: profile.returns.periods,
    waits: waitRows(hours, profile),
  };
}

/** What the window's prices were as a whole. */
function levelsOf({ average: { mean, last, vwap, priceQuantiles } }: Profile) {
  const quantiles = Object.entries(priceQuantiles).map(([percent, price]) => [`p${percent}`, price]);
  return { mean, last, vwap: vwap?.price ?? null, ...Object.fromEntries(quantiles) };
}

/** How far below its highest price so far the price fell in each bucket. */
function deepest(buckets: readonly TimeBucket[], hours: readonly PathHour[]) {
  const path = underWater(pathOf(hours));
  let next = path.next();
  return buckets.map(({ startMs, endMs }) => {
    let fraction: number | null = null;
    for (; !next.done && next.value[0] < endMs; next = path.next()) {
      fraction = Math.min(fraction ?? 0, next.value[1]);
    }
    return { time: startMs, fraction };
  });
}

/** How many moves came how long after the one before, at each threshold. */
function waitRows(hours: readonly PathHour[], { moves: { from, to } }: Profile) {
  const window = { fromMs: Date.parse(from), toMs: Date.parse(to) };
  const path = [...pathOf(hours)];
  return DEFAULT_THRESHOLDS.flatMap((threshold) => {
    const inWindow = movesOf(path, threshold).filter(({ confirmed_time }) =>
      isIn(window, Date.parse(confirmed_time)),
    );
    return (['rise', 'fall'] as const).flatMap((direction) => {
      const waits = waitHoursOf(inWindow.filter((move) => move.direction === direction));
      return WAIT_BINS.map(([below, bin], order) => {
        const from = WAIT_BINS[order - 1]?.[0] ?? 0;
        return {
          threshold,
          direction,
          bin,
          order,
          count: waits.filter((wait) => wait >= from && wait < below).length,
        };
      }).filter(({ count }) => count > 0);
    });
  });
}
