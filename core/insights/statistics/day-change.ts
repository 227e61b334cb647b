import { candleEndMs } from '../../market/candle.ts';
import { DAY_MS } from '../../market/time.ts';
import { isIn, type Window } from '../../market/window.ts';
import type { Hour } from '../history.ts';

/**
 * The changes C_t / C_{t−24 h} − 1 of every candle that starts in the window and whose close 24 hours before exists.
 * Hourly ones overlap: neighbours share 23 of their 24 hours.
 * @param candles of one series, by start, including the day before the window
 */
export function dayLongChanges(candles: readonly Hour[], window: Window): number[] {
  const closes = new Map(candles.map((candle) => [candleEndMs(candle), candle.close]));
  return candles.flatMap((candle) => {
    const before = closes.get(candleEndMs(candle) - DAY_MS);
    return before !== undefined && isIn(window, candle.startMs) ? [candle.close / before - 1] : [];
  });
}
