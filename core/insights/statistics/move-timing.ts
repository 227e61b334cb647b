import type { DetectedMove } from '../../market/directional-change.ts';
import { HOUR_MS } from '../../market/time.ts';
import { quantile } from './quantiles.ts';

/** When the moves of one direction came, and how far they overshot. Null if there are too few. */
export interface MoveTiming {
  /** Between two confirmations of this direction, both in the window. */
  medianWaitHours: number | null;
  p90WaitHours: number | null;
  /** From extreme to extreme, of the completed moves. */
  medianDurationHours: number | null;
  /**
   * Mean of size − threshold over the completed moves, a fraction. For exchange rates it is about the
   * threshold itself (Guillaume et al. 1997; Glattfelder, Dupuis & Olsen 2011, law 10).
   */
  meanOvershoot: number | null;
  /** From the last confirmation to the end of the requested window; 0 if the window ends before it. */
  hoursSinceLast: number | null;
}

/**
 * @param moves of one direction and threshold, confirmed in the window, in time order
 * @param endMs until when the time since the last one counts
 */
export function moveTiming(moves: readonly DetectedMove[], threshold: number, endMs: number): MoveTiming {
  const waits = waitHoursOf(moves);
  const durations = moves.flatMap(({ from_time, to_time }) =>
    to_time === undefined ? [] : [(Date.parse(to_time) - Date.parse(from_time)) / HOUR_MS],
  );
  const overshoots = moves.flatMap(({ size }) => (size === undefined ? [] : [size - threshold]));
  const last = moves.at(-1);
  return {
    medianWaitHours: quantile(waits, 0.5),
    p90WaitHours: quantile(waits, 0.9),
    medianDurationHours: quantile(durations, 0.5),
    meanOvershoot:
      overshoots.length === 0 ? null : overshoots.reduce((sum, each) => sum + each, 0) / overshoots.length,
    hoursSinceLast: last ? Math.max(0, endMs - Date.parse(last.confirmed_time)) / HOUR_MS : null,
  };
}

/** The hours between two confirmations. @param moves of one direction and threshold, in time order */
export function waitHoursOf(moves: readonly DetectedMove[]): number[] {
  const confirmedMs = moves.map(({ confirmed_time }) => Date.parse(confirmed_time));
  return confirmedMs.slice(1).map((timeMs, index) => (timeMs - (confirmedMs[index] ?? 0)) / HOUR_MS);
}
