import { HOUR_MS, MINUTE_MS } from './time.ts';

/** What a candle covers, in hours: one hour, or a whole UTC day where only daily history exists. */
export type CandleHours = 1 | 24;

/** The four prices of a candle, in the quote currency. */
export interface CandlePrices {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

/** One point of a candle's path: milliseconds since the candle's start, and the price then. */
export type PathPoint = [offsetMs: number, price: number];

/** When the four prices of a candle's path are taken to have been reached, in ms since its start. */
export const PATH_OFFSETS_MS: Readonly<Record<CandleHours, readonly [number, number, number, number]>> = {
  1: [0, 20 * MINUTE_MS, 40 * MINUTE_MS, 59 * MINUTE_MS],
  24: [0, 8 * HOUR_MS, 16 * HOUR_MS, 23 * HOUR_MS + 59 * MINUTE_MS],
};

/**
 * The assumed order of a candle's prices. A candle does not say whether its high or its low came first; the rule is
 * open, low, high, close if close >= open, else open, high, low, close. Every reader of candles must use this rule, or
 * their counts of moves disagree.
 */
export function candlePath({ open, high, low, close }: CandlePrices, hours: CandleHours): PathPoint[] {
  const [first, second, third, last] = PATH_OFFSETS_MS[hours];
  const [early, late] = close >= open ? [low, high] : [high, low];
  return [
    [first, open],
    [second, early],
    [third, late],
    [last, close],
  ];
}
