import type { Candle } from '../market/candle.ts';
import type { CandleHours } from '../market/price-path.ts';

/** The sums of log returns. */
export interface ReturnSums {
  count: number;
  sum: number;
  sumOfSquares: number;
}

/** The sums by candle length. */
export type Returns = Readonly<Record<CandleHours, ReturnSums>>;

const NO_SUMS: ReturnSums = { count: 0, sum: 0, sumOfSquares: 0 };

export const NO_RETURNS: Returns = { 1: NO_SUMS, 24: NO_SUMS };

/** The sums over any candles. Sums over two parts can be added, so one part may come from an aggregation. */
export function returnsOf(candles: Iterable<Pick<Candle, 'hours' | 'log_return'>>): Returns {
  const returns = { 1: { ...NO_SUMS }, 24: { ...NO_SUMS } };
  for (const { hours, log_return } of candles) {
    if (log_return === undefined) continue;
    const sums = returns[hours];
    sums.count += 1;
    sums.sum += log_return;
    sums.sumOfSquares += log_return ** 2;
  }
  return returns;
}

export function addReturns(a: Returns, b: Returns): Returns {
  const add = (hours: CandleHours): ReturnSums => ({
    count: a[hours].count + b[hours].count,
    sum: a[hours].sum + b[hours].sum,
    sumOfSquares: a[hours].sumOfSquares + b[hours].sumOfSquares,
  });
  return { 1: add(1), 24: add(24) };
}
