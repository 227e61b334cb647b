import { formatSeries } from '../market/series.ts';
import { hoursIn, isoWindow, type Window, widened } from '../market/window.ts';
import { coverageOf } from './coverage.ts';
import { noDataIn } from './errors.ts';
import { highest, lowest } from './extremes.ts';
import type { MarketStore, MoveCount, Scope, SeriesTotals } from './ports.ts';
import { includedIn, type RankingOptions, type RankingScope } from './ranking.ts';
import { addReturns, NO_RETURNS, returnsOf } from './returns.ts';
import { loadTails, type Tail } from './tail.ts';
import { type Volatility, volatilityOf } from './volatility.ts';

/** How much one series moved. */
export interface VolatileSeries extends Volatility {
  /** `exchange:category:symbol` */
  series: string;
  /** Hours with data. */
  hours: number;
  /** The part of the window that has data, from 0 to 1. */
  coverage: number;
  /** Moves confirmed in the window, at the configured thresholds; closed hours only. */
  moves: { threshold: number; rises: number; falls: number }[];
}

/** The most volatile series over a window (ISO 8601 UTC, whole hours), most volatile first. */
export interface VolatileOver extends RankingScope {
  from: string;
  to: string;
  series: VolatileSeries[];
}

/**
 * The `top` most volatile series in scope with enough data; those with too few hours for a volatility come
 * last.
 * @throws NoAnswerError if no series in scope has data in the window, or enough of it
 */
export async function mostVolatile(
  store: MarketStore,
  scope: Scope,
  window: Window,
  options: RankingOptions,
): Promise<VolatileOver> {
  const wide = widened(window);
  const totals = new Map(
    (await store.totalsBySeries(scope, wide)).map((each) => [formatSeries(each.series), each]),
  );
  const isFull = totals.size > 0 && [...totals.values()].every(({ hours }) => hours >= hoursIn(wide));
  const tails = isFull ? new Map<string, Tail>() : await loadTails(store, scope, wide);
  for (const [name, tail] of tails) totals.set(name, withTail(totals.get(name), tail));
  if (totals.size === 0) throw noDataIn(scope, window, await store.extents(scope));
  const all = [...totals].map(([series, each]) => ({
    series,
    of: each.series,
    ...volatilityOf(each),
    hours: each.hours,
    lastMs: each.lastMs,
    coverage: coverageOf(each.hours, wide),
  }));
  const { included, ...scopeOfRanking } = await includedIn(all, wide, options, store);
  const ranked = included
    .sort((a, b) => (b.volatility ?? -1) - (a.volatility ?? -1) || (a.series < b.series ? -1 : 1))
    .slice(0, options.top);
  const moves = await store.moveCounts(
    ranked.map((each) => each.of),
    wide,
  );
  return {
    ...isoWindow(wide),
    ...scopeOfRanking,
    series: ranked.map(({ of, lastMs, ...each }) => ({
      ...each,
      moves: movesOf(moves.filter(({ series }) => series === each.series)),
    })),
  };
}

function withTail(candles: SeriesTotals | undefined, { hours, returns }: Tail): SeriesTotals {
  const [{ exchange, category, symbol, low, high }] = hours as [Tail['hours'][number]];
  const series = { exchange, category, symbol };
  const start: SeriesTotals = candles ?? { series, hours: 0, low, high, lastMs: 0, returns: NO_RETURNS };
  return {
    series: start.series,
    hours: start.hours + hours.length,
    low: Math.min(start.low, lowest(hours.map((hour) => hour.low))),
    high: Math.max(start.high, highest(hours.map((hour) => hour.high))),
    lastMs: Math.max(start.lastMs, highest(hours.map((hour) => hour.startMs))),
    returns: addReturns(start.returns, returnsOf([...hours, ...returns])),
  };
}

function movesOf(counts: readonly MoveCount[]): VolatileSeries['moves'] {
  const countOf = (threshold: number, direction: MoveCount['direction']) =>
    counts.find((each) => each.threshold === threshold && each.direction === direction)?.count ?? 0;
  return [...new Set(counts.map(({ threshold }) => threshold))]
    .sort((a, b) => a - b)
    .map((threshold) => ({
      threshold,
      rises: countOf(threshold, 'rise'),
      falls: countOf(threshold, 'fall'),
    }));
}
