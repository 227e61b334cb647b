import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../market/time.ts';

/** How often each distance between neighbouring rows of a symbol occurs, by the distance in ms. */
export type Distances = ReadonlyMap<number, number>;

/**
 * How long each row of a symbol covers, in ms; undefined if the distances do not show it; `mixed`: two
 * different steps.
 */
export type FoundStep = { stepMs: number } | { mixed: readonly [number, number] } | undefined;

/**
 * If at least this share of the distances are equal, they are the step, even if others are not multiples of
 * it.
 */
const CLEAR_SHARE = 0.8;
/** A longer distance has to occur at least this often to count as a step of its own rather than gaps. */
const FEWEST_OF_ANOTHER = 5;

/**
 * Finds out what each row covers. Gaps make some distances longer; an outage may have moved a few rows. A
 * distance is the step if two neighbours are that far apart and all other distances are multiples of it, or
 * if most neighbours are that far apart.
 */
export function stepOf(distances: Distances): FoundStep {
  const counts = [...distances].filter(([ms]) => ms > 0);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const [most] = counts.toSorted(([a, countA], [b, countB]) => countB - countA || a - b);
  if (!most) return undefined;
  const [mostMs, mostCount] = most;
  // Months differ in length.
  if (counts.every(([ms]) => ms >= 28 * DAY_MS)) return { stepMs: mostMs };
  const commonMs = counts.reduce((divisor, [ms]) => greatestDivisor(divisor, ms), 0);
  const clearMs = mostCount >= CLEAR_SHARE * total ? mostMs : commonMs;
  if (!distances.has(clearMs)) return undefined;
  const longerMs = clearMs === commonMs ? longerStep(distances, clearMs) : undefined;
  return longerMs === undefined ? { stepMs: clearMs } : { mixed: [clearMs, longerMs] };
}

/** Hours or days among shorter rows. Gaps that happen to be as long are not so much more frequent than others. */
function longerStep(distances: Distances, stepMs: number): number | undefined {
  return [HOUR_MS, 4 * HOUR_MS, DAY_MS].find((ms) => {
    const around = (distances.get(ms - stepMs) ?? 0) + (distances.get(ms + stepMs) ?? 0);
    const count = distances.get(ms) ?? 0;
    return ms > 2 * stepMs && count >= FEWEST_OF_ANOTHER && count > 3 * (around + 1);
  });
}

/** Whether rows of this step add up to hours or days. */
export function addsUp(stepMs: number): boolean {
  return stepMs === DAY_MS || (stepMs >= MINUTE_MS && stepMs <= HOUR_MS && HOUR_MS % stepMs === 0);
}

const NAMES: readonly (readonly [number, string])[] = [
  [DAY_MS, 'day'],
  [HOUR_MS, 'hour'],
  [MINUTE_MS, 'minute'],
  [1_000, 'second'],
];

/** `hourly`, `15-minute`, `4-hour`, `weekly`, `monthly`. */
export function stepName(stepMs: number): string {
  if (stepMs === HOUR_MS) return 'hourly';
  if (stepMs === DAY_MS) return 'daily';
  if (stepMs === 7 * DAY_MS) return 'weekly';
  if (stepMs >= 28 * DAY_MS && stepMs <= 31 * DAY_MS) return 'monthly';
  const [unitMs, unit] = NAMES.find(([ms]) => stepMs % ms === 0) ?? [1_000, 'second'];
  return `${stepMs / unitMs}-${unit}`;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
