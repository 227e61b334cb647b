import { formatSeries } from '../market/series.ts';
import type { Window } from '../market/window.ts';
import type { HourCount, SampleCounts } from './ports.ts';

/**
 * The first hour of a window whose candles were not made from the ticks there are now. Hours without ticks do not
 * count: theirs may have been deleted.
 * @param isLate compares an hour's ticks with the samples its candle has seen
 * @returns the hour's start in epoch ms
 */
export async function firstLateHour(
  counts: SampleCounts,
  { fromMs, toMs }: Window,
  isLate: (ticks: number, samples: number) => boolean,
): Promise<number | undefined> {
  if (fromMs >= toMs) return undefined;
  const [ticks, samples] = await Promise.all([
    counts.tickCounts(fromMs, toMs),
    counts.candleSamples(fromMs, toMs),
  ]);
  const seen = new Map(samples.map((each) => [keyOf(each), each.count]));
  return ticks
    .filter((each) => each.count > 0 && isLate(each.count, seen.get(keyOf(each)) ?? 0))
    .reduce<number | undefined>((first, { hourMs }) => Math.min(first ?? hourMs, hourMs), undefined);
}

function keyOf({ series, hourMs }: HourCount): string {
  return `${formatSeries(series)}:${hourMs}`;
}
