/**
 * How series move together. Matrices are in the order of the series; null where one of the two never changed.
 */
export interface Correlation {
  pearson: (number | null)[][];
  /** Of the ranks, so that a single large day does not decide. */
  spearman: (number | null)[][];
  /** How much each moves with a move of the first: covariance ÷ variance of the first. */
  beta: (number | null)[];
}

/**
 * @param columns one list of returns for each series, all of the same days
 */
export function correlationOf(columns: readonly (readonly number[])[]): Correlation {
  const ranked = columns.map(ranksOf);
  const first = columns[0] ?? [];
  return {
    pearson: columns.map((a) => columns.map((b) => pearson(a, b))),
    spearman: ranked.map((a) => ranked.map((b) => pearson(a, b))),
    beta: columns.map((column) => ratio(covariance(column, first), covariance(first, first))),
  };
}

/** Σ(a − ā)(b − b̄) ÷ √(Σ(a − ā)² · Σ(b − b̄)²). */
function pearson(a: readonly number[], b: readonly number[]): number | null {
  return ratio(covariance(a, b), Math.sqrt(covariance(a, a) * covariance(b, b)));
}

/** Not divided by n: that cancels out. */
function covariance(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  return a.reduce((sum, value, index) => sum + (value - meanA) * ((b[index] ?? meanB) - meanB), 0);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function ratio(dividend: number, divisor: number): number | null {
  return divisor > 0 ? dividend / divisor : null;
}

/** From 1; equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const ranks = new Array<number>(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && order[to]?.value === order[from]?.value) to += 1;
    for (const { index } of order.slice(from, to)) ranks[index] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}
