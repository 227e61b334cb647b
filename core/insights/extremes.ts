/** Of any number of values: `Math.min(...values)` throws beyond about 125,000. Infinity if there is none. */
export function lowest(values: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const value of values) if (value < least) least = value;
  return least;
}

/** The counterpart of {@link lowest}; −Infinity if there is none. */
export function highest(values: Iterable<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > most) most = value;
  return most;
}
