import type { Client } from '@opensearch-project/opensearch';
import { type Spread, spreadOf } from './statistics.ts';

/** One line of the table: a ratio (or a figure of its own) measured several times in one run. */
export interface TargetResult {
  name: string;
  /** What the runs came to; `value` is the median. */
  value: number;
  spread: Spread;
  unit: string;
  /** E.g. `>= 0.85`. */
  target: string;
  met: boolean;
  runs: number[];
  /** The absolute figures behind the ratio, for people. */
  note: string;
}

/** Where a target measures, and how often. */
export interface BenchContext {
  openSearch: Client;
  urls: { kafka: string; openSearch: string; s3: string };
  /** Measured rounds of each target, sides taken in turn; a round to warm up comes before. */
  rounds: number;
  /** A folder of its own, removed afterwards. */
  folder: string;
  say(text: string): void;
}

/** A measurement; may give several lines. */
export type Target = (context: BenchContext) => Promise<TargetResult[]>;

/** A line from its runs. `atLeast` or `atMost` is the figure to reach. */
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
