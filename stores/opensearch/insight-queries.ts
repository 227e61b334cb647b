import type { Scope } from '../../core/insights/ports.ts';
import { ARCHIVE } from '../../core/insights/resolve.ts';
import type { CandleSeries } from '../../core/market/candle.ts';
import type { Window } from '../../core/market/window.ts';
import { timeRange } from './ticks.ts';

/** A query that scores nothing. */
export type Filter = object;

/** Ranges that one query lists; OpenSearch takes some 1,000 clauses. */
const MAX_RANGES = 500;

/** What passes every one of the filters. */
export function allOf(...filter: Filter[]): { bool: { filter: Filter[] } } {
  return { bool: { filter } };
}

/** One series' documents. */
export function ofSeries({ exchange, category, symbol }: CandleSeries): Filter {
  return allOf({ term: { exchange } }, { term: { category } }, { term: { symbol } });
}

/** Queries that find a series' ticks in the windows, one after the other in time. */
export function ticksIn(series: CandleSeries, windows: readonly Window[]): Filter[] {
  const queries: Filter[] = [];
  for (let first = 0; first < windows.length; first += MAX_RANGES) {
    const should = windows
      .slice(first, first + MAX_RANGES)
      .map(({ fromMs, toMs }) => timeRange('slot', fromMs, toMs));
    queries.push(allOf(ofSeries(series), { bool: { should } }));
  }
  return queries;
}

/** A keyword that is this value, in any case. */
export function anyCase(field: string, value: string): Filter {
  return { term: { [field]: { value, case_insensitive: true } } };
}

/** The archive takes part only where it is named. */
export function inScope({ exchange, category }: Scope): Filter {
  return {
    bool: {
      filter: [
        ...(exchange === undefined ? [] : [{ term: { exchange } }]),
        ...(category === undefined ? [] : [{ term: { category } }]),
      ],
      must_not: exchange === undefined ? [{ term: { exchange: ARCHIVE } }] : [],
    },
  };
}

/** What a question about all series or a currency asks: an option's price is not its currency's. */
export function inMarket(scope: Scope): Filter {
  return {
    bool: {
      filter: [inScope(scope)],
      must_not: scope.category === undefined ? [{ term: { category: 'option' } }] : [],
    },
  };
}
