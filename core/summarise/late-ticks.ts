import { isWellSampled } from '../market/candle.ts';
import { pollsDueInHour, type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import { formatSeries } from '../market/series.ts';
import { dayOf, HOUR_MS } from '../market/time.ts';
import type { Window } from '../market/window.ts';
import type { HourCount, SampleCounts } from './ports.ts';

/** How far back from where the last run stopped each run of summarise counts ticks, to find those that came since. */
export const COUNTED_MS = 48 * HOUR_MS;
/**
 * The hours of older ticks are recorded as they are indexed, and summarised again. The difference is a margin for a run
 * in progress and for clocks that disagree.
 */
export const RECORDED_AFTER_MS = COUNTED_MS / 2;

/**
 * The first hour of a window that has ticks its candle has not seen. Fewer ticks than samples are no reason to make it
 * again: the others may have been deleted. Nor is an hour of a day with a daily candle that it would not replace.
 * @returns the hour's start in epoch ms
 */
export async function firstLateHour(
  counts: SampleCounts,
  { fromMs, toMs }: Window,
  intervals: SamplingIntervals,
): Promise<number | undefined> {
  if (fromMs >= toMs) return undefined;
  const [ticks, samples, daily] = await Promise.all([
    counts.tickCounts(fromMs, toMs),
    counts.candleSamples(fromMs, toMs),
    counts.dailyCandles(fromMs, toMs),
  ]);
  const seen = new Map(samples.map((each) => [keyOf(each), each.count]));
  const days = new Set(daily.map(keyOf));
  const isLate = (hour: HourCount) => {
    if (hour.count <= (seen.get(keyOf(hour)) ?? 0)) return false;
    const pollsDue = pollsDueInHour(hour.hourMs, samplingIntervalOf(hour.series, intervals));
    return !days.has(keyOf({ ...hour, hourMs: dayOf(hour.hourMs) })) || isWellSampled(hour.count, pollsDue);
  };
  return ticks
    .filter(isLate)
    .reduce<number | undefined>((first, { hourMs }) => Math.min(first ?? hourMs, hourMs), undefined);
}

function keyOf({ series, hourMs }: HourCount): string {
  return `${formatSeries(series)}:${hourMs}`;
}
