import type { CandleTotals, ReturnSums } from './totals.ts';

const HOURS_PER_YEAR = 8_766;
const DAYS_PER_YEAR = 365.25;

/** How much a price moved over a window. */
export interface Volatility {
  /**
   * Annualised sample standard deviation of the log returns between adjacent hours (× √8766), or between adjacent days
   * (× √365.25) if there are only daily candles; a fraction. Null with fewer than two returns.
   */
  volatility: number | null;
  /** (highest − lowest) / lowest price, a fraction. */
  rangeFraction: number;
}

export function volatilityOf({
  returns,
  low,
  high,
}: Pick<CandleTotals, 'returns' | 'low' | 'high'>): Volatility {
  const daily = returns[1].count < 2;
  const deviation = sampleDeviation(daily ? returns[24] : returns[1]);
  return {
    volatility:
      deviation === undefined ? null : deviation * Math.sqrt(daily ? DAYS_PER_YEAR : HOURS_PER_YEAR),
    rangeFraction: (high - low) / low,
  };
}

/** Returns are close to 0, so the sums keep their precision; rounding may put a variance of 0 slightly below it. */
function sampleDeviation({ count, sum, sumOfSquares }: ReturnSums): number | undefined {
  if (count < 2) return undefined;
  return Math.sqrt(Math.max(0, sumOfSquares - sum ** 2 / count) / (count - 1));
}
