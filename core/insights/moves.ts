import type { Candle } from '../market/candle.ts';
import { pathOffsetsMs } from '../market/price-path.ts';
import { HOUR_MS } from '../market/time.ts';
import { isIn, isoWindow, type Window, widened } from '../market/window.ts';
import { answeredWindow } from './average.ts';
import { closeChanges, type Exceedances, exceedancesOf } from './exceedances.ts';
import { type DirectionMoves, movesInWindow, pathOf } from './window-moves.ts';

/** How often a price moved by a threshold, in both readings: directional changes, and closes of hours and days. */
export interface ThresholdMoves extends Exceedances {
  /** A fraction. */
  threshold: number;
  rises: DirectionMoves;
  falls: DirectionMoves;
}

/** The moves over a window; times ISO 8601 UTC. */
export interface MovesOver {
  from: string;
  to: string;
  /** Between two prices of the path, of the coarsest hour in the window: what reversed in between was not seen. */
  samplingIntervalSeconds: number;
  thresholds: ThresholdMoves[];
}

/**
 * The moves of a series that were confirmed in a window.
 * @param hours all hours of the series, by start
 * @param thresholds fractions
 * @returns undefined where the window has no data
 */
export function movesOver(
  hours: readonly Candle[],
  window: Window,
  thresholds: readonly number[],
  samplingIntervalMs: number,
): MovesOver | undefined {
  const answered = answeredWindow(hours, window);
  const path = [...pathOf(hours)];
  const inWindow = hours.filter(({ start }) => isIn(widened(window), Date.parse(start)));
  const hasData = answered.exact ? path.some(([timeMs]) => isIn(window, timeMs)) : inWindow.length > 0;
  if (!hasData) return undefined;
  const changes = closeChanges(hours, answered);
  return {
    ...isoWindow(answered),
    samplingIntervalSeconds:
      inWindow.reduce((most, hour) => Math.max(most, samplingMs(hour, samplingIntervalMs)), 0) / 1_000,
    thresholds: thresholds.map((threshold) => ({
      threshold,
      ...movesInWindow(path, threshold, answered),
      ...exceedancesOf(changes, threshold),
    })),
  };
}

/** Ticks come as often as the market is polled; a backfilled candle gives four prices. */
function samplingMs(
  { source, hours, polls_due }: Pick<Candle, 'source' | 'hours' | 'polls_due'>,
  samplingIntervalMs: number,
): number {
  if (source === 'ticks') return polls_due ? HOUR_MS / polls_due : samplingIntervalMs;
  return (hours * HOUR_MS) / pathOffsetsMs(hours).length;
}
