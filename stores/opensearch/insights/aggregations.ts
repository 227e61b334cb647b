import type { ReturnSums } from '../../../core/insights/returns.ts';
import type { Series } from '../../../core/market/series.ts';
import { allOf, type Filter, SERIES_FIELDS, sourcesOf } from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';

/** A metric with one value; null if there is no document. */
export interface Metric {
  value: number | null;
}

export interface Counted {
  doc_count: number;
}

export interface Bucket<Key> extends Counted {
  key: Key;
}

export interface ExtendedStats {
  count: number;
  sum: number | null;
  sum_of_squares: number | null;
}

export const LOG_RETURNS = { extended_stats: { field: 'log_return' } };

export const min = (field: string) => ({ min: { field } });
export const max = (field: string) => ({ max: { field } });
export const sum = (field: string) => ({ sum: { field } });

export function returnSums({ count, sum, sum_of_squares }: ExtendedStats): ReturnSums {
  return { count, sum: sum ?? 0, sumOfSquares: sum_of_squares ?? 0 };
}

/** Aggregations for each series that the filters find, by exchange, category and symbol. */
export async function bySeries<B>(
  search: OpenSearchSearch,
  index: string,
  filters: readonly Filter[],
  aggs: object = {},
): Promise<{ series: Series; bucket: B & Counted }[]> {
  const found: { series: Series; bucket: B & Counted }[] = [];
  const sources = sourcesOf(SERIES_FIELDS);
  for await (const page of search.buckets<B & Bucket<Series>>(index, allOf(...filters), sources, aggs)) {
    for (const bucket of page) found.push({ series: bucket.key, bucket });
  }
  return found;
}

/** Every value of a field among what a query finds. */
export async function valuesOf(
  search: OpenSearchSearch,
  index: string,
  query: Filter,
  field: string,
): Promise<string[]> {
  const found: string[] = [];
  for await (const page of search.buckets<Bucket<{ value: string }>>(index, query, [
    { value: { terms: { field } } },
  ])) {
    for (const { key } of page) found.push(key.value);
  }
  return found;
}
