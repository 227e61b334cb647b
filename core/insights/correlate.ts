import type { CandleSeries } from '../market/candle.ts';
import { type SamplingIntervals, samplingIntervalOf } from '../market/sampling.ts';
import { formatSeries } from '../market/series.ts';
import { isIn, isoWindow, type Window, widened } from '../market/window.ts';
import { daysAround, loadAround } from './around.ts';
import { coverageOf, hoursCovered } from './coverage.ts';
import { NoAnswerError, rangeText } from './errors.ts';
import type { Hour } from './history.ts';
import type { SeriesFacts, SeriesPrices } from './ports.ts';
import { type Correlation, correlationOf } from './statistics/correlation.ts';
import { dayChanges, logReturnOf } from './statistics/days.ts';
import { type Trust, trustOf } from './trust.ts';
import { Reasons } from './without-data.ts';

/** How the daily log returns of several series move together over a window, ISO 8601 UTC. */
export interface CorrelationOver extends Correlation {
  from: string;
  to: string;
  /** Days on which every series has a return. */
  days: number;
  /** `exchange:category:symbol`, in the order of the matrices. */
  series: string[];
}

/** The same, plus how far each series can be trusted, in the same order. */
export interface TrustedCorrelation extends CorrelationOver {
  trust: ({ coverage: number } & Trust)[];
}

/** @throws NoAnswerError if a series has no data in the window, or they have fewer than two days in common */
export async function correlationOver(
  store: SeriesPrices & SeriesFacts,
  all: readonly CandleSeries[],
  window: Window,
  samplingIntervals: SamplingIntervals,
): Promise<TrustedCorrelation> {
  const wide = widened(window);
  const returns: DailyReturns[] = [];
  const trust: TrustedCorrelation['trust'] = [];
  for (const series of all) {
    const hours = await loadAround(store, series, window, daysAround(wide));
    const inWindow = hours.filter(({ startMs }) => isIn(wide, startMs));
    returns.push(returnsByDay(hours, wide));
    const trusted = {
      ...isoWindow(wide),
      coverage: coverageOf(hoursCovered(inWindow), wide),
      ...trustOf(inWindow, wide, samplingIntervalOf(series, samplingIntervals)),
    };
    const { from: _from, to: _to, ...ofSeries } = await new Reasons(store, series).explain(trusted, hours);
    trust.push(ofSeries);
  }
  return { ...correlationOfReturns(all, returns, window), trust };
}

/** The log returns of the days that start in a window, by their starts (epoch ms). */
export type DailyReturns = ReadonlyMap<number, number>;

/** @throws NoAnswerError if the series has no data in the window */
export async function dailyReturns(
  store: SeriesPrices & SeriesFacts,
  series: CandleSeries,
  window: Window,
): Promise<DailyReturns> {
  const wide = widened(window);
  return returnsByDay(await loadAround(store, series, window, daysAround(wide)), wide);
}

function returnsByDay(hours: readonly Hour[], window: Window): DailyReturns {
  return new Map(dayChanges(hours, window).map((day) => [day.startMs, logReturnOf(day)]));
}

/**
 * @param returns of each of the series
 * @throws NoAnswerError if they have fewer than two days in common
 */
export function correlationOfReturns(
  all: readonly CandleSeries[],
  returns: readonly DailyReturns[],
  window: Window,
): CorrelationOver {
  const wide = widened(window);
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
