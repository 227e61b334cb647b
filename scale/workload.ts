import { sourceNamed } from '../exchanges/source-config.ts';
import { parseStageConfig, type StageConfig } from '../lib/config/stage-config.ts';
import { firstMinuteOf } from '../lib/ingest/poll-times.ts';

/** As AWS calculates. */
export const HOURS_A_MONTH = 730;

export interface Workload {
  sources: readonly PolledSource[];
}

export interface PolledSource {
  /** Per poll, in all categories. */
  tickers: number;
  categories: number;
  samplingIntervalMinutes: number;
}

/**
 * The exchange that the pages about scale and cost assume: of those we poll directly, it has the most
 * markets.
 */
export const LIKE_BYBIT = { ...sourceNamed('bybit'), samplingIntervalMinutes: 2 };

/** The sources of a stage, each assumed to have the same number of tickers. */
export function workloadOf({ sources }: StageConfig, tickersPerExchange: number): Workload {
  return {
    sources: sources.map(({ categories, samplingIntervalMinutes }) => ({
      tickers: tickersPerExchange,
      categories: categories.length,
      samplingIntervalMinutes,
    })),
  };
}

/** The stage with `count` sources, each like its first one. */
export function withSources(
  config: StageConfig,
  count: number,
  samplingIntervalMinutes?: number,
): StageConfig {
  const [first] = config.sources;
  if (!first) return config;
  const sources = Array.from({ length: count }, (_, position) => ({
    ...first,
    name: `${first.name}-${position + 1}`,
    exchange: `${first.exchange}-${position + 1}`,
    samplingIntervalMinutes: samplingIntervalMinutes ?? first.samplingIntervalMinutes,
  }));
  return parseStageConfig({ ...config, sources });
}

export function shortestIntervalMinutes(sources: readonly { samplingIntervalMinutes: number }[]): number {
  return Math.min(...sources.map(({ samplingIntervalMinutes }) => samplingIntervalMinutes));
}

export const pollsAMonth = ({ samplingIntervalMinutes }: PolledSource) =>
  (HOURS_A_MONTH * 60) / samplingIntervalMinutes;

/** How many sources are polled in the minute with the most. */
export function polledTogether({ sources }: Pick<StageConfig, 'sources'>): number {
  const minutes = Array.from(
    { length: 60 },
    (_, minute) =>
      sources.filter((source) => (minute - firstMinuteOf(source)) % source.samplingIntervalMinutes === 0)
        .length,
  );
  return Math.max(...minutes);
}
