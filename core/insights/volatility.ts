import type { CandleHours } from '../market/price-path.ts';
import { highest, lowest } from './extremes.ts';
import type { Hour } from './history.ts';
import { type Returns, returnsOf } from './returns.ts';

const HOURS_PER_YEAR = 8_766;
const LENGTHS: readonly CandleHours[] = [1, 24];

/** How much a price moved over a window. */
export interface Volatility {
  /**
   * Annualised standard deviation of the log returns between adjacent candles, pooled whatever their length; a
   * fraction. Null with fewer than two returns.
   */
  volatility: number | null;
  /** How many log returns it is computed from. */
  returns: number;
  /** (highest − lowest) / lowest price, a fraction. */
  rangeFraction: number;
}

/** @param hours at least one */
export function volatilityOfHours(hours: readonly Hour[]): Volatility {
  return volatilityOf({
    returns: returnsOf(hours),
    low: lowest(hours.map(({ low }) => low)),
    high: highest(hours.map(({ high }) => high)),
  });
}

/** Volatility from the sums over a series' hours. */
export function volatilityOf({
  returns,
  low,
  high,
}: {
  returns: Returns;
  low: number;
  high: number;
}): Volatility {
  const variance = hourlyVariance(returns);
  return {
    volatility: variance === undefined ? null : Math.sqrt(variance * HOURS_PER_YEAR),
    returns: returnCount(returns),
    rangeFraction: (high - low) / low,
  };
}

function returnCount(returns: Returns): number {
  return LENGTHS.reduce((count, hours) => count + returns[hours].count, 0);
}

/**
 * Σ(r − r̄·Δ)² ÷ (ΣΔ · (n − 1) ÷ n) with Δ the hours that a return r spans and r̄ = Σr ÷ ΣΔ: what a price that drifts by
 * r̄ an hour varies by each hour. With hourly returns alone it is their sample variance, with daily ones theirs ÷ 24.
 */
function hourlyVariance(returns: Returns): number | undefined {
  const n = returnCount(returns);
  if (n < 2) return undefined;
  const total = (of: (hours: CandleHours) => number) => LENGTHS.reduce((sum, hours) => sum + of(hours), 0);
  const span = total((hours) => hours * returns[hours].count);
  const drift = total((hours) => returns[hours].sum) / span;
  const deviations = total((hours) => {
    const { count, sum, sumOfSquares } = returns[hours];
    return sumOfSquares - 2 * drift * hours * sum + (drift * hours) ** 2 * count;
  });
  // Returns are close to 0, so the sums keep their precision; rounding may put a variance of 0 slightly below it.
  return Math.max(0, deviations) / ((span * (n - 1)) / n);
}
