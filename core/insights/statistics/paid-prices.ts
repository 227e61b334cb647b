import { DAY_MS, dayOf } from '../../market/time.ts';
import type { Hour } from '../history.ts';
import { weightedQuantiles } from './quantiles.ts';

const PERCENTS = [5, 25, 50, 75, 95];
/** 1970-01-05 was a Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;
const WEEK_MS = 7 * DAY_MS;

/** The prices paid in a window, besides their mean, in the quote currency. */
export interface PaidPrices {
  /** By percent, `"5"` to `"95"`: of the hourly means, weighted by hours. */
  priceQuantiles: Record<string, number>;
  /** The part of the hours whose mean is below the last price: 0.9 says that it was cheaper 90 % of the time. */
  shareBelowLast: number;
  /** Weighted by volume; null if no candle has one. */
  vwap: VolumeWeighted | null;
  /** What one unit cost if the same amount was spent each time. */
  dca: CostAverages;
}

export interface VolumeWeighted {
  price: number;
  /** Hours with a known volume ÷ hours with data. */
  volumeCoverage: number;
}

/** The harmonic mean of prices, n ÷ Σ(1/p). */
export interface CostAverages {
  /** At each hour's mean. */
  hourly: number;
  /** At the open of each UTC day's first candle. */
  daily: number;
  /** At the open of the first candle of each UTC week, which begins on Monday. */
  weekly: number;
}

/** @param candles of the window, by start, at least one */
export function paidPrices(candles: readonly Hour[], last: number): PaidPrices {
  const means = candles.map(({ mean, hours }) => ({ value: mean, weight: hours }));
  const hoursOf = (values: typeof means) => values.reduce((sum, { weight }) => sum + weight, 0);
  return {
    priceQuantiles: weightedQuantiles(means, PERCENTS),
    shareBelowLast: hoursOf(means.filter(({ value }) => value < last)) / hoursOf(means),
    vwap: volumeWeighted(candles),
    dca: {
      hourly: hoursOf(means) / means.reduce((sum, { value, weight }) => sum + weight / value, 0),
      daily: harmonicMean(firstOpens(candles, dayOf)),
      weekly: harmonicMean(firstOpens(candles, weekOf)),
    },
  };
}

/**
 * Σ turnover ÷ Σ volume. A candle without a turnover uses volume × its typical price, (high + low + close) /
 * 3. https://www.investopedia.com/terms/v/vwap.asp
 */
function volumeWeighted(candles: readonly Hour[]): VolumeWeighted | null {
  let [paid, traded, hoursTold, hoursWithData] = [0, 0, 0, 0];
  for (const { hours, high, low, close, volume, turnover } of candles) {
    hoursWithData += hours;
    if (volume === undefined) continue;
    hoursTold += hours;
    traded += volume;
    paid += turnover ?? ((high + low + close) / 3) * volume;
  }
  return traded > 0 ? { price: paid / traded, volumeCoverage: hoursTold / hoursWithData } : null;
}

function firstOpens(candles: readonly Hour[], periodOf: (timeMs: number) => number): number[] {
  const opens = new Map<number, number>();
  for (const { startMs, open } of candles) {
    const period = periodOf(startMs);
    if (!opens.has(period)) opens.set(period, open);
  }
  return [...opens.values()];
}

function weekOf(timeMs: number): number {
  return Math.floor((timeMs - FIRST_MONDAY_MS) / WEEK_MS) * WEEK_MS + FIRST_MONDAY_MS;
}

function harmonicMean(prices: readonly number[]): number {
  return prices.length / prices.reduce((sum, price) => sum + 1 / price, 0);
}
