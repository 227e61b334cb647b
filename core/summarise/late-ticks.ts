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

export interface LateTicksSearch {
  counts: SampleCounts;
  /** How many ticks hours had when their candles had seen all of them; afterwards, those of the window. */
  matched: Map<number, number>;
  intervals: SamplingIntervals;
  hasTime: () => boolean;
}

/**
 * The hours of a window (of whole hours) that have ticks their candles have not seen, as time allows.
 *
 * Counting by series takes long, so it is only done for an hour whose total is not what it was when its
 * candles had seen every tick. As ticks are only ever added, an unchanged total means unchanged ticks.
 * Comparing the total with that of the candles would not work: a candle made from the lake may have seen
 * ticks that the index lacks, and so hide as many late ones of another series.
 *
 * @returns their starts, epoch ms, ascending
 */
export async function hoursWithLateTicks(
  { fromMs, toMs }: Window,
  { counts, matched, intervals, hasTime }: LateTicksSearch,
): Promise<number[]> {
  if (fromMs >= toMs) return [];
  const known = new Map(matched);
  matched.clear();
  const late: number[] = [];
  for (const [hourMs, total] of await counts.tickTotals(fromMs, toMs)) {
    const isKnown = known.get(hourMs) === total;
    // Hours that we have no time to check stay unknown, so the next run checks them.
    if (!isKnown && !hasTime()) continue;
    if (isKnown || !(await hasLateTicks(counts, hourMs, intervals))) matched.set(hourMs, total);
    else late.push(hourMs);
  }
  return late;
}

/**
 * Whether an hour has ticks that its candles have not seen, series by series. Fewer ticks than samples are no reason to
 * make a candle again: the others may have been deleted. Nor are ticks of a day with a daily candle that they would not
 * replace.
 */
export async function hasLateTicks(
  counts: SampleCounts,
  hourMs: number,
  intervals: SamplingIntervals,
): Promise<boolean> {
  const hour = [hourMs, hourMs + HOUR_MS] as const;
  const [seen, days] = await Promise.all([
    bySeries(counts.candleSamples(...hour)),
    bySeries(counts.dailyCandles(dayOf(hourMs), dayOf(hourMs) + 1)),
  ]);
  const isLate = ({ series, count }: HourCount) => {
    const name = formatSeries(series);
    if (count <= (seen.get(name) ?? 0)) return false;
    return (
      !days.has(name) || isWellSampled(count, pollsDueInHour(hourMs, samplingIntervalOf(series, intervals)))
    );
  };
  for await (const page of counts.tickCounts(...hour)) if (page.some(isLate)) return true;
  return false;
}

async function bySeries(pages: AsyncIterable<HourCount[]>): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const page of pages)
    for (const { series, count } of page) found.set(formatSeries(series), count);
  return found;
}
