import type { Candle } from '../market/candle.ts';
import { type DetectedMove, type MoveDirection, movesOf } from '../market/directional-change.ts';
import { daysIn, isIn, type Window } from '../market/window.ts';
import { type MoveTiming, moveTiming } from './statistics/move-timing.ts';

/** The moves of one direction that were confirmed in a window. */
export interface DirectionMoves extends MoveTiming {
  count: number;
  /** By the window's length in days. */
  perDay: number;
  /** Fractions, of the moves completed within the data; null if there is none. */
  meanSize: number | null;
  maxSize: number | null;
  /** Null if there is none. Without `to_…` and `size` while it is in progress. */
  last: DetectedMove | null;
}

/** `[epoch ms, price]`. @param candles sorted by start */
export function* pathOf(candles: Iterable<Pick<Candle, 'startMs' | 'path'>>): Generator<[number, number]> {
  for (const { startMs, path } of candles) {
    for (const [offsetMs, price] of path) yield [startMs + offsetMs, price];
  }
}

/**
 * The moves at one threshold that were confirmed in the window. The detector runs over the series' whole path, so the
 * size of a move may come from after the window.
 * @param endMs until when the time since the last move counts: now, if the window is widened beyond it
 */
export function movesInWindow(
  path: Iterable<readonly [timeMs: number, price: number]>,
  threshold: number,
  window: Window,
  endMs = window.toMs,
): { rises: DirectionMoves; falls: DirectionMoves } {
  const moves = movesOf(path, threshold).filter(({ confirmed_time }) =>
    isIn(window, Date.parse(confirmed_time)),
  );
  const of = (direction: MoveDirection) =>
    directionMoves(
      moves.filter((move) => move.direction === direction),
      threshold,
      window,
      endMs,
    );
  return { rises: of('rise'), falls: of('fall') };
}

function directionMoves(
  moves: readonly DetectedMove[],
  threshold: number,
  window: Window,
  endMs: number,
): DirectionMoves {
  const sizes = moves.flatMap(({ size }) => (size === undefined ? [] : [size]));
  return {
    count: moves.length,
    perDay: moves.length / daysIn(window),
    meanSize: sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0) / sizes.length,
    maxSize: sizes.length === 0 ? null : sizes.reduce((most, size) => Math.max(most, size)),
    last: moves.at(-1) ?? null,
    ...moveTiming(moves, threshold, endMs),
  };
}
