import { type SamplingIntervals, samplingIntervalsOf } from '../../core/market/sampling.ts';
import type { StageConfig } from './stage-config.ts';

/** The functions' `SAMPLING_INTERVALS`. */
export function samplingIntervals({ sources }: Pick<StageConfig, 'sources'>): SamplingIntervals {
  const own = samplingIntervalsOf(
    sources.map(({ exchange, categories, samplingIntervalMinutes }) => ({
      exchange,
      categories,
      samplingIntervalMs: samplingIntervalMinutes * 60_000,
    })),
  );
  return { default: 120_000, ...own };
}
