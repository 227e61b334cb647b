/** The distance if one name contains the other, whatever their lengths: `BTC` is nearer to `BTCUSDT` than to `BCH`. */
const CONTAINED = 1.5;

/** The names that a mistyped name may stand for, nearest first. */
export function nearestNames(name: string, names: readonly string[], count = 5): string[] {
  const wanted = name.toUpperCase();
  const tolerated = Math.max(CONTAINED, wanted.length / 2);
  return names
    .map((candidate) => ({ candidate, distance: distanceOf(wanted, candidate.toUpperCase()) }))
    .filter(({ distance }) => distance <= tolerated)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

function distanceOf(a: string, b: string): number {
  const isContained = a.length > 1 && b.length > 1 && (a.includes(b) || b.includes(a));
  return Math.min(editDistance(a, b), isContained ? CONTAINED : Number.POSITIVE_INFINITY);
}

/** How many letters to insert, remove, replace or swap with a neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = a[row - 1] === b[column - 1] ? 0 : 1;
      let distance = Math.min(
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + replaced,
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) distance = Math.min(distance, (beforeLast[column - 2] as number) + 1);
      current.push(distance);
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length] as number;
}
