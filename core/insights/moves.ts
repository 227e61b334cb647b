import type { CandleSeries } from '../market/candle.ts';
import { isIn, isoWindow, touched, type Window } from '../market/window.ts';
import { answeredWindow, hoursTouched } from './average.ts';
import { coverageOf, hoursCovered, pollCoverage } from './coverage.ts';
import { noDataOf } from './errors.ts';
import { closeChanges, type Exceedances, exceedancesOf } from './exceedances.ts';
import { ALL_TIME, loadPaths, type PathHour } from './history.ts';
import type { SeriesFacts, SeriesPrices } from './ports.ts';
import { type Horizon, type HorizonReturns, horizonReturns } from './statistics/horizons.ts';
import { type Trust, trustOf } from './trust.ts';
import { type DirectionMoves, movesInWindow, pathOf } from './window-moves.ts';
import { Reasons } from './without-data.ts';

/** How often a price moved by a threshold, counted both as directional changes and by the closes of hours and days. */
export interface ThresholdMoves extends Exceedances {
  /** A fraction. */
  threshold: number;
  rises: DirectionMoves;
  falls: DirectionMoves;
}

/** The moves over a window, and how much they can be trusted; times ISO 8601 UTC. */
export interface MovesOver extends Trust {
  from: string;
  to: string;
  /** The part of the window that has data, from 0 to 1. */
  coverage: number;
  thresholds: ThresholdMoves[];
  /** Left out unless asked for. */
  horizons?: HorizonReturns[];
}

export interface MovesOptions {
  /** Fractions. */
  thresholds: readonly number[];
  /** @default none */
  horizons?: readonly Horizon[];
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
  const hours = await loadPaths(store, series, ALL_TIME);
  const moves = movesOfHours(hours, window, options);
  if (!moves) throw noDataOf(series, window, await store.span(series));
  return new Reasons(store, series).explain(moves, hours);
}

/**
 * {@link movesOver}, from hours that are already loaded.
 * @param hours all hours of the series, by start
 * @returns undefined if the window has no data
 */
export function movesOfHours(
  hours: readonly PathHour[],
  window: Window,
  { thresholds, horizons = [], samplingIntervalMs }: MovesOptions,
): MovesOver | undefined {
  const answered = answeredWindow(hours, window);
  const path = [...pathOf(hours)];
  const inWindow = hoursTouched(hours, answered);
  const samples = path.filter(([timeMs]) => isIn(answered, timeMs)).length;
  if (answered.exact ? samples === 0 : inWindow.length === 0) return undefined;
  const changes = closeChanges(hours, answered);
  return {
    ...isoWindow(answered),
    coverage: answered.exact
      ? pollCoverage(samples, inWindow, answered, samplingIntervalMs)
      : coverageOf(hoursCovered(inWindow), answered),
    ...trustOf(inWindow, touched(answered), samplingIntervalMs),
    thresholds: thresholds.map((threshold) => ({
      threshold,
      ...movesInWindow(path, threshold, answered, window.toMs),
      ...exceedancesOf(changes, threshold),
    })),
    ...(horizons.length === 0
      ? {}
      : { horizons: horizons.map((horizon) => horizonReturns(hours, answered, horizon, thresholds)) }),
  };
}
