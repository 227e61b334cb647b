import type { WithoutData } from '../completeness/absence.ts';
import { PATH_OFFSETS_MS } from '../market/price-path.ts';
import { HOUR_MS } from '../market/time.ts';
import { hoursIn, type Window } from '../market/window.ts';
import { hoursCovered } from './coverage.ts';
import { highest } from './extremes.ts';
import { extentOf, gapsBetween, type Hour } from './history.ts';

/** What an hour's prices come from: ticks, or the four prices of an hourly or a daily candle. */
export type HourSource = 'ticks' | 'hourly' | 'daily';

/** How much an answer about one series can be trusted. */
export interface Trust {
  /** How many log returns between adjacent hours (or days) there are. */
  returns: number;
  /** The longest run of hours without data, including those at either end of the window. */
  longestGapHours: number;
  /** Hours with data whose only price is the close before them: nothing was traded, or a price was stuck. */
  staleHours: number;
  /** The share of the hours with data that comes from each source. */
  sources: Record<HourSource, number>;
  /** The longest time between two prices behind the answer; a reversal in between went unseen. */
  samplingIntervalSeconds: number;
  /** The same for each source that occurs. */
  samplingIntervalSecondsBySource: Partial<Record<HourSource, number>>;
  /** Why hours have no data; only if `coverage` is below 1. */
  withoutData?: WithoutData;
}

/**
 * @param hours in the window, by start
 * @param window of whole hours
 * @param samplingIntervalMs for hours whose candle does not say how many polls were due
 */
export function trustOf(hours: readonly Hour[], window: Window, samplingIntervalMs: number): Trust {
  const bySource = Map.groupBy(hours, sourceOf);
  const covered = hoursCovered(hours);
  const shareOf = (source: HourSource) => hoursCovered(bySource.get(source) ?? []) / covered;
  const intervals = [...bySource].map(
    ([source, ofSource]) =>
      [source, highest(ofSource.map((hour) => samplingMs(hour, samplingIntervalMs))) / 1_000] as const,
  );
  return {
    returns: hours.filter(({ log_return }) => log_return !== undefined).length,
    longestGapHours: Math.max(0, highest(gapsBetween(hours.map(extentOf), window).map(hoursIn))),
    staleHours: hoursCovered(hours.filter(isStale)),
    sources: { ticks: shareOf('ticks'), hourly: shareOf('hourly'), daily: shareOf('daily') },
    samplingIntervalSeconds: highest(intervals.map(([, seconds]) => seconds)),
    samplingIntervalSecondsBySource: Object.fromEntries(intervals),
  };
}

function sourceOf({ source, hours }: Pick<Hour, 'source' | 'hours'>): HourSource {
  if (source === 'ticks') return 'ticks';
  return hours === 1 ? 'hourly' : 'daily';
}

function isStale({ low, high, previousClose }: Hour): boolean {
  return low === high && low === previousClose;
}

/** Ticks come as often as the market is polled; a backfilled candle has four prices. */
function samplingMs(
  { source, hours, polls_due }: Pick<Hour, 'source' | 'hours' | 'polls_due'>,
  samplingIntervalMs: number,
): number {
  if (source === 'ticks') return polls_due ? HOUR_MS / polls_due : samplingIntervalMs;
  return (hours * HOUR_MS) / PATH_OFFSETS_MS[hours].length;
}
