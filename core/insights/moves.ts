import type { Candle, CandleSeries } from '../market/candle.ts';
import { PATH_OFFSETS_MS } from '../market/price-path.ts';
import { HOUR_MS } from '../market/time.ts';
import { isIn, isoWindow, type Window, widened } from '../market/window.ts';
import { answeredWindow } from './average.ts';
import { noDataOf } from './errors.ts';
import { closeChanges, type Exceedances, exceedancesOf } from './exceedances.ts';
import { ALL_TIME, loadPaths, type PathHour } from './history.ts';
import type { SeriesFacts, SeriesPrices } from './ports.ts';
import { type DirectionMoves, movesInWindow, pathOf } from './window-moves.ts';

/** How often a price moved by a threshold, counted both as directional changes and by the closes of hours and days. */
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
  /** The longest time between two prices of the path: moves that reversed in between were not seen. */
  samplingIntervalSeconds: number;
  thresholds: ThresholdMoves[];
}

export interface MovesOptions {
  /** Fractions. */
  thresholds: readonly number[];
  samplingIntervalMs: number;
}

/**
 * The moves of a series that were confirmed in a window.
 * @throws NoAnswerError if the window has no data
 */
export async function movesOver(
  store: SeriesPrices & SeriesFacts,
  series: CandleSeries,
  window: Window,
  options: MovesOptions,
): Promise<MovesOver> {
  const moves = movesOfHours(await loadPaths(store, series, ALL_TIME), window, options);
  if (!moves) throw noDataOf(series, window, await store.span(series));
  return moves;
}

/**
 * {@link movesOver}, from hours that are already loaded.
 * @param hours all hours of the series, by start
 * @returns undefined if the window has no data
 */
export function movesOfHours(
  hours: readonly PathHour[],
  window: Window,
  { thresholds, samplingIntervalMs }: MovesOptions,
): MovesOver | undefined {
  const answered = answeredWindow(hours, window);
  const path = [...pathOf(hours)];
  const inWindow = hours.filter(({ startMs }) => isIn(widened(window), startMs));
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

/** Ticks come as often as the market is polled; a backfilled candle has four prices. */
function samplingMs(
  { source, hours, polls_due }: Pick<Candle, 'source' | 'hours' | 'polls_due'>,
  samplingIntervalMs: number,
): number {
  if (source === 'ticks') return polls_due ? HOUR_MS / polls_due : samplingIntervalMs;
  return (hours * HOUR_MS) / PATH_OFFSETS_MS[hours].length;
}
