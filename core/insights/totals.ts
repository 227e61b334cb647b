import { type Candle, candleEndMs } from '../market/candle.ts';
import type { CandleHours } from '../market/price-path.ts';
import { hoursIn, isoWindow, type Window } from '../market/window.ts';

/** The sums of log returns. */
export interface ReturnSums {
  count: number;
  sum: number;
  sumOfSquares: number;
}

/** Log returns by the length of their candles. */
export type Returns = Readonly<Record<CandleHours, ReturnSums>>;

/**
 * What the candles of a series in a window add up to: enough for every number that does not depend on their order.
 * Totals of two parts can be merged, so one part may come from aggregations and the other from candles.
 */
export interface CandleTotals {
  /** Hours covered; a daily candle covers 24. */
  hours: number;
  /** Σ mean × hours. */
  meanHours: number;
  low: number;
  high: number;
  /** Of the first candle. */
  first: { startMs: number; open: number };
  /** Of the last candle. */
  last: { endMs: number; close: number };
  returns: Returns;
}

const NO_SUMS: ReturnSums = { count: 0, sum: 0, sumOfSquares: 0 };

export const NO_RETURNS: Returns = { 1: NO_SUMS, 24: NO_SUMS };

export function totalsOf(candles: Iterable<Omit<Candle, 'path'>>): CandleTotals | undefined {
  let totals: CandleTotals | undefined;
  for (const candle of candles) {
    const { hours, mean, low, high, open, close } = candle;
    totals = mergeTotals(totals, {
      hours,
      meanHours: mean * hours,
      low,
      high,
      first: { startMs: candle.startMs, open },
      last: { endMs: candleEndMs(candle), close },
      returns: returnsOf(candle),
    });
  }
  return totals;
}

export function mergeTotals(
  a: CandleTotals | undefined,
  b: CandleTotals | undefined,
): CandleTotals | undefined {
  if (!a || !b) return a ?? b;
  return {
    hours: a.hours + b.hours,
    meanHours: a.meanHours + b.meanHours,
    low: Math.min(a.low, b.low),
    high: Math.max(a.high, b.high),
    first: a.first.startMs <= b.first.startMs ? a.first : b.first,
    last: a.last.endMs >= b.last.endMs ? a.last : b.last,
    returns: addReturns(a.returns, b.returns),
  };
}

/** The sums for one candle. */
export function returnsOf({ hours, log_return }: Pick<Candle, 'hours' | 'log_return'>): Returns {
  if (log_return === undefined) return NO_RETURNS;
  const one = { count: 1, sum: log_return, sumOfSquares: log_return ** 2 };
  return hours === 1 ? { 1: one, 24: NO_SUMS } : { 1: NO_SUMS, 24: one };
}

export function addReturns(a: Returns, b: Returns): Returns {
  const add = (hours: CandleHours): ReturnSums => ({
    count: a[hours].count + b[hours].count,
    sum: a[hours].sum + b[hours].sum,
    sumOfSquares: a[hours].sumOfSquares + b[hours].sumOfSquares,
  });
  return { 1: add(1), 24: add(24) };
}

/** The part of a window with data, from 0 to 1. The part of a daily candle outside the window does not count. */
export function coverageOf(hours: number, window: Window): number {
  return Math.min(1, hours / hoursIn(window));
}

/** The average price over a window and its range. Prices are in the quote currency. */
export interface Average {
  /** Time-weighted mean. */
  mean: number;
  min: number;
  max: number;
  first: number;
  last: number;
  /** last / first − 1, a fraction. */
  change: number;
  /** Hours with data. */
  hours: number;
  expectedHours: number;
  /** The part of the window that has data, from 0 to 1. */
  coverage: number;
}

/** The answered window, ISO 8601 UTC, and the average over it. */
export type AverageOver = { from: string; to: string } & Average;

/** The mean of the hourly means: every hour with data counts once. The window consists of whole hours. */
export function averageOfTotals(totals: CandleTotals, window: Window): AverageOver {
  const first = totals.first.open;
  const last = totals.last.close;
  return {
    ...isoWindow(window),
    mean: totals.meanHours / totals.hours,
    min: totals.low,
    max: totals.high,
    first,
    last,
    change: last / first - 1,
    hours: totals.hours,
    expectedHours: hoursIn(window),
    coverage: coverageOf(totals.hours, window),
  };
}
