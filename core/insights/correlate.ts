import type { CandleSeries } from '../market/candle.ts';
import { formatSeries } from '../market/series.ts';
import { isoWindow, type Window, widened } from '../market/window.ts';
import { daysAround, loadAround } from './around.ts';
import { NoAnswerError, rangeText } from './errors.ts';
import type { SeriesFacts, SeriesPrices } from './ports.ts';
import { type Correlation, correlationOf } from './statistics/correlation.ts';
import { dayChanges, logReturnOf } from './statistics/days.ts';

/** How the daily log returns of several series move together over a window, ISO 8601 UTC. */
export interface CorrelationOver extends Correlation {
  from: string;
  to: string;
  /** Days on which every series has a return. */
  days: number;
  /** `exchange:category:symbol`, in the order of the matrices. */
  series: string[];
}

/** @throws NoAnswerError if a series has no data in the window, or they have fewer than two days in common */
export async function correlationOver(
  store: SeriesPrices & SeriesFacts,
  all: readonly CandleSeries[],
  window: Window,
): Promise<CorrelationOver> {
  const wide = widened(window);
  const returns: Map<number, number>[] = [];
  for (const series of all) {
    const hours = await loadAround(store, series, window, daysAround(wide));
    returns.push(new Map(dayChanges(hours, wide).map((day) => [day.startMs, logReturnOf(day)])));
  }
  const [first = new Map<number, number>(), ...others] = returns;
  const days = [...first.keys()].filter((day) => others.every((other) => other.has(day)));
  const names = all.map(formatSeries);
  if (days.length < 2) {
    throw new NoAnswerError(
      'noData',
      `${names.join(' and ')} have daily returns on ${days.length} common day${days.length === 1 ? '' : 's'} from ${rangeText(wide)}; a correlation needs at least two: ask for a longer window.`,
    );
  }
  const columns = returns.map((one) => days.map((day) => one.get(day) as number));
  return { ...isoWindow(wide), days: days.length, series: names, ...correlationOf(columns) };
}
