import { DAY_MS, dayOf } from '../../market/time.ts';
import { isIn, type Window } from '../../market/window.ts';
import type { Hour } from '../history.ts';

/** One UTC day of a series: its extremes, and the close of its last hour with data. */
export interface Day {
  startMs: number;
  high: number;
  low: number;
  close: number;
}

/** A day whose day before has data too. */
export interface DayChange extends Day {
  closeBefore: number;
}

/** @param candles of one series, by start */
export function daysOf(candles: readonly Hour[]): Map<number, Day> {
  const days = new Map<number, Day>();
  for (const { startMs: candleMs, high, low, close } of candles) {
    const startMs = dayOf(candleMs);
    const day = days.get(startMs);
    days.set(startMs, {
      startMs,
      high: Math.max(high, day?.high ?? high),
      low: Math.min(low, day?.low ?? low),
      close,
    });
  }
  return days;
}

/**
 * The days that start in the window and whose day before has data, each as a whole.
 * @param candles of one series, by start, including the day before the window and the whole of its last day
 */
export function dayChanges(candles: readonly Hour[], window: Window): DayChange[] {
  const days = daysOf(candles);
  return [...days.values()].flatMap((day) => {
    const before = days.get(day.startMs - DAY_MS);
    return before && isIn(window, day.startMs) ? [{ ...day, closeBefore: before.close }] : [];
  });
}

export function logReturnOf({ close, closeBefore }: DayChange): number {
  return Math.log(close / closeBefore);
}
