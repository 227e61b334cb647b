import { type Candle, candleEndMs } from '../market/candle.ts';
import { reaches } from '../market/threshold.ts';
import { DAY_MS, dayOf } from '../market/time.ts';
import { isIn, type Window } from '../market/window.ts';

/** How many hours and UTC days closed at least the threshold above or below the previous close. */
export interface Exceedances {
  hoursUp: number;
  hoursDown: number;
  daysUp: number;
  daysDown: number;
}

/** close / previous close − 1 of every hour and day in a window whose predecessor is known. */
export interface CloseChanges {
  hours: number[];
  days: number[];
}

/**
 * An hour belongs to the window that contains its start, and so does a day. A day's close is that of its last hour with
 * data, even after the window's end.
 * @param candles of one series, by start, including those around the window
 */
export function closeChanges(candles: readonly Candle[], window: Window): CloseChanges {
  const hours: number[] = [];
  const closes = new Map<number, number>();
  let previous: Candle | undefined;
  for (const candle of candles) {
    const { startMs } = candle;
    closes.set(dayOf(startMs), candle.close);
    const isHourAfter = candle.hours === 1 && previous?.hours === 1 && candleEndMs(previous) === startMs;
    if (previous && isHourAfter && isIn(window, startMs)) hours.push(candle.close / previous.close - 1);
    previous = candle;
  }
  const days: number[] = [];
  for (const [dayMs, close] of closes) {
    const before = closes.get(dayMs - DAY_MS);
    if (before !== undefined && isIn(window, dayMs)) days.push(close / before - 1);
  }
  return { hours, days };
}

/** @param threshold a fraction */
export function exceedancesOf({ hours, days }: CloseChanges, threshold: number): Exceedances {
  const up = (changes: number[]) => changes.filter((change) => reaches(change, threshold)).length;
  const down = (changes: number[]) => changes.filter((change) => reaches(-change, threshold)).length;
  return { hoursUp: up(hours), hoursDown: down(hours), daysUp: up(days), daysDown: down(days) };
}
