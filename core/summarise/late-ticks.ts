import { formatSeries } from '../market/series.ts';
import type { HourCount, SampleCounts } from './ports.ts';

/** Whether an hour has to be made again, by how many ticks there are and how many its candle knows of. */
export type IsLate = (ticks: number, samples: number) => boolean;

/** Ticks came late, or again after a repair. */
export const differs: IsLate = (ticks, samples) => ticks !== samples;
/** For ticks that may have been deleted since: only what no candle knows of counts. */
export const hasMore: IsLate = (ticks, samples) => ticks > samples;

/**
 * The first hour in [fromMs, toMs) whose ticks are not those that its candles were made of, by their number. Hours
 * without any tick are passed over: theirs may have been deleted.
 * @returns its start in epoch ms; undefined where all agree
 */
export async function firstLateHour(
  counts: SampleCounts,
  { fromMs, toMs, isLate }: { fromMs: number; toMs: number; isLate: IsLate },
): Promise<number | undefined> {
  if (fromMs >= toMs) return undefined;
  const [ticks, samples] = await Promise.all([
    counts.tickCounts(fromMs, toMs),
    counts.candleSamples(fromMs, toMs),
  ]);
  const summarised = new Map(samples.map((each) => [keyOf(each), each.count]));
  let first: number | undefined;
  for (const each of ticks) {
    if (each.count > 0 && isLate(each.count, summarised.get(keyOf(each)) ?? 0)) {
      first = Math.min(first ?? each.hourMs, each.hourMs);
    }
  }
  return first;
}

function keyOf({ series, hourMs }: HourCount): string {
  return `${formatSeries(series)}:${hourMs}`;
}
