import type { Client } from '@opensearch-project/opensearch';
import { type Spread, spreadOf } from './statistics.ts';

/** A line of the table: a ratio, or a plain figure, measured several times in one run. */
export interface TargetResult {
  name: string;
  /** Of the runs; `value` is the median. */
  value: number;
  spread: Spread;
  unit: string;
  /** E.g. `>= 0.85`. */
  target: string;
  met: boolean;
  runs: number[];
  /** The absolute figures behind the ratio. */
  note: string;
}

export interface BenchContext {
  openSearch: Client;
  urls: { kafka: string; openSearch: string; s3: string };
  /** Measured rounds of each target, after one warm-up round. */
  rounds: number;
  /** A temporary folder, deleted afterwards. */
  folder: string;
  say(text: string): void;
}

/** A measurement; may return several lines. */
export type Target = (context: BenchContext) => Promise<TargetResult[]>;

/** A warm-up, then the measured rounds. @returns what the measured rounds gave */
export async function inRounds<T>(
  { rounds, say }: Pick<BenchContext, 'rounds' | 'say'>,
  title: string,
  measure: (round: number) => Promise<T>,
  describe: (result: T) => string,
): Promise<T[]> {
  const results: T[] = [];
  for (let round = 0; round <= rounds; round++) {
    const result = await measure(round);
    say(`${title}, ${round === 0 ? 'warm-up' : `round ${round}`}: ${describe(result)}`);
    if (round > 0) results.push(result);
  }
  return results;
}

/** The line for some runs. `atLeast` or `atMost` is the goal. */
export function resultOf(
  name: string,
  runs: readonly number[],
  goal: { atLeast: number } | { atMost: number },
  { unit = '', note = '' }: { unit?: string; note?: string } = {},
): TargetResult {
  const spread = spreadOf(runs);
  const least = 'atLeast' in goal;
  const bound = least ? goal.atLeast : goal.atMost;
  const value = spread.median;
  return {
    name,
    value,
    spread,
    unit,
    target: `${least ? '>=' : '<='} ${bound}${unit && ` ${unit}`}`,
    met: least ? value >= bound : value <= bound,
    runs: [...runs],
    note,
  };
}
