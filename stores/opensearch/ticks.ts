import type { Client } from '@opensearch-project/opensearch';
import {
  monthOfTickerIndex,
  TICKER_INDICES,
  tickerIndexOf,
  tickerIndexOfMonth,
} from '../../core/market/index-names.ts';
import { formatSeries, type Series } from '../../core/market/series.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import type { HourCount, SeriesTicks, TickHours, TickMonths } from '../../core/summarise/ports.ts';
import { numberIn, seriesIn } from './hits.ts';
import { SERIES_FIELDS, timeRange, values } from './queries.ts';
import { type OpenSearchSearch, retryTransient } from './search.ts';

/** The ticks in the monthly ticker indices. */
export class OpenSearchTicks implements TickHours, TickMonths {
  readonly hasAllTicks = false;
  readonly #client: Client;
  readonly #search: OpenSearchSearch;
  readonly #deadlineMs: number;
  #fresh: Promise<unknown> | undefined;

  constructor(client: Client, search: OpenSearchSearch, deadlineMs: number) {
    this.#client = client;
    this.#search = search;
    this.#deadlineMs = deadlineMs;
  }

  async firstTickIn(fromMs: number, toMs: number): Promise<number | undefined> {
    await this.#refresh();
    const hit = await this.#search.first(TICKER_INDICES, {
      query: timeRange('slot', fromMs, toMs),
      sort: [{ slot: { order: 'asc', unmapped_type: 'date' } }],
      ...values('slot'),
    });
    return hit && numberIn(hit, 'slot');
  }

  async ticksOf(hourMs: number): Promise<SeriesTicks[]> {
    await this.#refresh();
    const bySeries = new Map<string, SeriesTicks>();
    const pages = this.#search.pages(tickerIndexOf(new Date(hourMs).toISOString()), {
      query: timeRange('slot', hourMs, hourMs + HOUR_MS),
      sort: [...SERIES_FIELDS, 'slot'],
      ...values(...SERIES_FIELDS, 'base', 'quote', 'last_price', 'slot'),
    });
    for await (const page of pages) {
      for (const hit of page) {
        const series = seriesIn(hit);
        const key = formatSeries(series);
        const ofSeries = bySeries.get(key) ?? { series, ticks: [] };
        bySeries.set(key, ofSeries);
        ofSeries.ticks.push({ slotMs: numberIn(hit, 'slot'), price: numberIn(hit, 'last_price') });
      }
    }
    return [...bySeries.values()];
  }

  async tickCounts(fromMs: number, toMs: number): Promise<HourCount[]> {
    await this.#refresh();
    return countsByHour(this.#search, TICKER_INDICES, 'slot', timeRange('slot', fromMs, toMs));
  }

  async months(): Promise<string[]> {
    const request = { index: TICKER_INDICES, allow_no_indices: true, filter_path: ['*.aliases'] };
    const { body } = await retryTransient(() => this.#client.indices.get(request), this.#deadlineMs);
    return Object.keys(body ?? {})
      .flatMap((index) => monthOfTickerIndex(index) ?? [])
      .sort();
  }

  async deleteMonth(month: string): Promise<void> {
    const request = { index: tickerIndexOfMonth(month), ignore_unavailable: true };
    await retryTransient(() => this.#client.indices.delete(request), this.#deadlineMs);
  }

  /** Once, at the first read: it makes everything indexed until then visible. */
  #refresh(): Promise<unknown> {
    const request = { index: TICKER_INDICES, allow_no_indices: true, ignore_unavailable: true };
    this.#fresh ??= retryTransient(() => this.#client.indices.refresh(request), this.#deadlineMs);
    return this.#fresh;
  }
}

interface HourBucket {
  key: Series & { hour: number };
  doc_count: number;
  sum?: { value: number };
}

/** Documents (or, with `sumOf`, the sum of a field) by series and hour. */
export async function countsByHour(
  search: OpenSearchSearch,
  index: string,
  timeField: string,
  query: object,
  sumOf?: string,
): Promise<HourCount[]> {
  const sources = [
    ...SERIES_FIELDS.map((field) => ({ [field]: { terms: { field } } })),
    { hour: { date_histogram: { field: timeField, fixed_interval: '1h' } } },
  ];
  const aggs = sumOf === undefined ? {} : { sum: { sum: { field: sumOf } } };
  const counts: HourCount[] = [];
  for await (const page of search.buckets<HourBucket>(index, query, sources, aggs)) {
    for (const { key, doc_count, sum } of page) {
      const { hour: hourMs, ...series } = key;
      counts.push({ series, hourMs, count: sum?.value ?? doc_count });
    }
  }
  return counts;
}
