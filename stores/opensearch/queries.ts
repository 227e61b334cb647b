import type { Scope } from '../../core/insights/ports.ts';
import { ARCHIVE } from '../../core/insights/resolve.ts';
import type { Market, Series } from '../../core/market/series.ts';
import type { Window } from '../../core/market/window.ts';

/** A query that needs no score. */
export type Filter = object;

/** What the indices are sorted by, before time. */
export const SERIES_FIELDS = ['exchange', 'category', 'symbol'] as const;
export const MARKET_FIELDS = ['exchange', 'category'] as const;

/** Ranges in one query; OpenSearch allows about 1,000 clauses. */
const MAX_RANGES = 500;

/** The sources of a composite aggregation: a bucket for each combination of the fields' values. */
export function sourcesOf(fields: readonly string[]): object[] {
  return fields.map((field) => ({ [field]: { terms: { field } } }));
}

export function allOf(...filter: Filter[]): { bool: { filter: Filter[] } } {
  return { bool: { filter } };
}

/** Times in [fromMs, toMs), epoch ms; an end left out is open. */
export function timeRange(field: string, fromMs?: number, toMs?: number): Filter {
  return {
    range: {
      [field]: {
        ...(fromMs === undefined ? {} : { gte: fromMs }),
        ...(toMs === undefined ? {} : { lt: toMs }),
        // The format in the mapping does not include epoch milliseconds.
        format: 'epoch_millis',
      },
    },
  };
}

export function ofMarket({ exchange, category }: Market): Filter {
  return allOf({ term: { exchange } }, { term: { category } });
}

export function ofSeries({ exchange, category, symbol }: Series): Filter {
  return allOf({ term: { exchange } }, { term: { category } }, { term: { symbol } });
}

/** A series' candles that start in the window. */
export function candlesIn(series: Series, { fromMs, toMs }: Window): Filter {
  return allOf(ofSeries(series), timeRange('start', fromMs, toMs));
}

/** Queries that together find a series' ticks in the windows, in time order. */
export function ticksIn(series: Series, windows: readonly Window[]): Filter[] {
  const queries: Filter[] = [];
  for (let first = 0; first < windows.length; first += MAX_RANGES) {
    const should = windows
      .slice(first, first + MAX_RANGES)
      .map(({ fromMs, toMs }) => timeRange('slot', fromMs, toMs));
    queries.push(allOf(ofSeries(series), { bool: { should } }));
  }
  return queries;
}

export function equalsIgnoringCase(field: string, value: string): Filter {
  return { term: { [field]: { value, case_insensitive: true } } };
}

/** Includes the archive only if the scope names it. */
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

/** {@link inScope} without options, unless the scope names them: an option's price is not its currency's. */
export function inMarket(scope: Scope): Filter {
  const notOptions = scope.category === undefined ? [{ term: { category: 'option' } }] : [];
  return { bool: { filter: [inScope(scope)], must_not: notOptions } };
}

/** Part of a search: returns these fields' doc values instead of whole documents; times in epoch ms. */
export function values(...fields: string[]): { _source: false; docvalue_fields: unknown[] } {
  return {
    _source: false,
    docvalue_fields: fields.map((field) =>
      field === 'slot' || field === 'start' ? { field, format: 'epoch_millis' } : field,
    ),
  };
}

/** Part of a search: the newest document first. */
export function newestFirst(time: 'slot' | 'start'): { sort: object[] } {
  return { sort: [{ [time]: 'desc' }] };
}
