import { type SamplingIntervals, samplingIntervalsOf } from '../../core/market/sampling.ts';
import type { StageConfig } from './stage-config.ts';

type Polled = Pick<StageConfig, 'sources'>;

/** Of the domain. */
export const OPENSEARCH_VERSION = '3.5';

/** The resource policy that lets a stage's domain write logs; a region has ten at most. */
export function logPolicyName(stage: string): string {
  return `${stackName(stage, 'stateful')}-opensearch`;
}

/** The stacks of a stage; the command line finds a deployed stage by them. */
export function stackName(stage: string, part: 'stateful' | 'stateless'): string {
  return `crypto-market-insights-${stage}-${part}`;
}

/** Every exchange that a stage polls, once. */
export function exchangesOf({ sources }: Polled): string[] {
  return [...new Set(sources.map(({ exchange }) => exchange))];
}

/** The functions' `SAMPLING_INTERVALS`. */
export function samplingIntervals({ sources }: Polled): SamplingIntervals {
  const own = sources.map((source) => ({
    ...source,
    samplingIntervalMs: source.samplingIntervalMinutes * 60_000,
  }));
  return { default: 120_000, ...samplingIntervalsOf(own) };
}
