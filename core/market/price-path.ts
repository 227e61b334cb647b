import { HOUR_MS, MINUTE_MS } from './time.ts';

/** The four prices that a candle records of its hour or day, in the quote currency. */
export interface CandlePrices {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
}

/** One point of a candle's path: milliseconds since the candle's start, and the price then. */
export type PathPoint = [offsetMs: number, price: number];

type FourOffsets = readonly [number, number, number, number];

const PATH_OFFSETS_MS: Readonly<Record<1 | 24, FourOffsets>> = {
  1: [0, 20 * MINUTE_MS, 40 * MINUTE_MS, 59 * MINUTE_MS],
  24: [0, 8 * HOUR_MS, 16 * HOUR_MS, 23 * HOUR_MS + 59 * MINUTE_MS],
};

/**
 * When the four prices of a candle's path are taken to have held, in milliseconds since its start:
 * minutes 0, 20, 40 and 59 of an hour; 0 h, 8 h, 16 h and 23 h 59 min of a day.
 */
export function pathOffsetsMs(hours: 1 | 24): FourOffsets {
  return PATH_OFFSETS_MS[hours];
}

/**
 * The order in which a candle's prices are taken to have followed each other. A candle does not say
 * whether its high or its low came first; the rule is open, low, high, close when close >= open, else
 * open, high, low, close. Every reader of a candle must use this one rule, or counts of moves disagree.
 */
export function candlePath({ open, high, low, close }: CandlePrices, hours: 1 | 24): PathPoint[] {
  const [first, second, third, last] = PATH_OFFSETS_MS[hours];
  const [early, late] = close >= open ? [low, high] : [high, low];
  return [
    [first, open],
    [second, early],
    [third, late],
    [last, close],
  ];
}

/** The path of an hourly candle: see {@link candlePath}. */
export function hourPath(prices: CandlePrices): PathPoint[] {
  return candlePath(prices, 1);
}
