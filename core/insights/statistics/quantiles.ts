/**
 * A quantile of equally weighted values, interpolated between the two nearest ranks: the value at position (n − 1) · q of
 * the sorted values (Hyndman & Fan 1996, type 7; the default of numpy, pandas and R).
 * @param q from 0 to 1
 * @returns null if there is no value
 */
export function quantile(values: readonly number[], q: number): number | null {
  return quantiles(values, [q])[0] ?? null;
}

/** {@link quantile}, for several q. */
export function quantiles(values: readonly number[], qs: readonly number[]): (number | null)[] {
  const sorted = values.toSorted((a, b) => a - b);
  return qs.map((q) => {
    const position = (sorted.length - 1) * q;
    const below = sorted[Math.floor(position)];
    const above = sorted[Math.ceil(position)];
    if (below === undefined || above === undefined) return null;
    return below + (above - below) * (position - Math.floor(position));
  });
}

export interface Weighted {
  value: number;
  /** A whole number, so that the sums are exact. */
  weight: number;
}

/**
 * For each percent the smallest value whose cumulative weight reaches that part of the whole weight: always one of the
 * values, so no price is invented between two.
 * @param values at least one
 */
export function weightedQuantiles(
  values: readonly Weighted[],
  percents: readonly number[],
): Record<string, number> {
  const sorted = values.toSorted((a, b) => a.value - b.value);
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  const at = (percent: number): number => {
    let reached = 0;
    for (const { value, weight } of sorted) {
      reached += weight;
      if (reached * 100 >= total * percent) return value;
    }
    return sorted.at(-1)?.value ?? Number.NaN;
  };
  return Object.fromEntries(percents.map((percent) => [percent, at(percent)]));
}
