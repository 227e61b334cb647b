import { join } from 'node:path';
import {
  type SamplingIntervals,
  SHORTEST_INTERVAL_MS,
  samplingIntervalsOf,
} from '../../core/market/sampling.ts';
import type { SourceConfig } from '../../exchanges/source-config.ts';
import { readTextIfThere, writeFileAtomically } from '../atomic-file.ts';

/** The market replay has four points in each recorded hour's path, however fast it runs. */
const REPLAYED: SamplingIntervals = { 'recorded:spot': 900_000 };

const fileIn = (folder: string) => join(folder, 'sampling-intervals.json');

/** How often the folder's pipeline polls each market, or last did. */
export function samplingIntervalsIn(folder: string): SamplingIntervals {
  const kept = JSON.parse(readTextIfThere(fileIn(folder)) ?? '{}') as SamplingIntervals;
  return { ...kept, ...REPLAYED };
}

/** Remembers how often the sources are polled from now on; markets of other exchanges keep what they had. */
export function keepSamplingIntervals(
  folder: string,
  sources: readonly Pick<SourceConfig, 'exchange' | 'categories'>[],
  intervalMs: number,
): void {
  const exchanges = new Set(sources.map(({ exchange }) => exchange));
  const others = Object.entries(samplingIntervalsIn(folder)).filter(
    ([market]) => !exchanges.has(market.split(':')[0] ?? ''),
  );
  const samplingIntervalMs = Math.max(SHORTEST_INTERVAL_MS, intervalMs);
  const polled = samplingIntervalsOf(sources.map((source) => ({ ...source, samplingIntervalMs })));
  writeFileAtomically(fileIn(folder), JSON.stringify({ ...Object.fromEntries(others), ...polled }));
}
