import * as z from 'zod';
import { type SamplingIntervals, samplingIntervalsVariable } from '../market/sampling.ts';

/** What the summaries are made by. */
export interface SummarySettings {
  /** Of the moves that the `moves` index holds: fractions, ascending. */
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

/** What a function that makes or reads summaries has in its environment; everything has a default. */
export const summaryVariables = {
  /** Fractions: 0.01 is 1 %. */
  MOVE_THRESHOLDS: fractions.prefault('0.01,0.02,0.05,0.1'),
  SAMPLING_INTERVALS: samplingIntervalsVariable,
};

/** {@link summaryVariables}, read. */
export function summarySettings(environment: {
  MOVE_THRESHOLDS: number[];
  SAMPLING_INTERVALS: SamplingIntervals;
}): SummarySettings {
  return { thresholds: environment.MOVE_THRESHOLDS, samplingIntervals: environment.SAMPLING_INTERVALS };
}
