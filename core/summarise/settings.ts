import * as z from 'zod';
import { type SamplingIntervals, samplingIntervalsVariable } from '../market/sampling.ts';

export interface SummarySettings {
  /** Of the moves to store: fractions, ascending. */
  thresholds: readonly number[];
  samplingIntervals: SamplingIntervals;
}

const fractions = z
  .string()
  .transform((text) => text.split(',').map(Number))
  .refine((values) => values.every((value) => value > 0 && value < 1), {
    error: 'expected fractions between 0 and 1, separated by commas, such as 0.01,0.05',
  })
  .transform((values) => [...new Set(values)].sort((a, b) => a - b));

/** The environment of a function that makes or reads summaries. */
export const summaryVariables = {
  /** Fractions: 0.01 is 1 %. */
  MOVE_THRESHOLDS: fractions.prefault('0.01,0.02,0.05,0.1'),
  SAMPLING_INTERVALS: samplingIntervalsVariable,
};

/** Days that ticks stay in the index; `never` deletes none. The lake keeps them in any case. */
export const tickRetentionVariable = z
  .union([z.literal('never'), z.coerce.number().positive()], {
    error: 'expected a number of days, or "never"',
  })
  .default(90);

export function summarySettings({
  MOVE_THRESHOLDS: thresholds,
  SAMPLING_INTERVALS: samplingIntervals,
}: z.infer<z.ZodObject<typeof summaryVariables>>): SummarySettings {
  return { thresholds, samplingIntervals };
}
