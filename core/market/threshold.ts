/**
 * How far short of a threshold a change may fall: enough for rounding errors, too little for any real
 * difference of prices. 110 / 100 − 1 is 0.10000000000000009, 1 − 99 / 110 is 0.09999999999999998; both are
 * 10 %.
 */
export const THRESHOLD_TOLERANCE = 1e-12;

/**
 * Whether a change reaches a threshold: the one comparison behind moves, exceedances and counts over a horizon.
 * @param change a fraction: `price / low - 1` for a rise, `1 - price / high` for a fall
 * @param threshold a fraction > 0
 */
export function reaches(change: number, threshold: number): boolean {
  return change >= threshold - THRESHOLD_TOLERANCE;
}
