import type { Client } from '@opensearch-project/opensearch';
import {
  monthOfTickerIndex,
  TICKER_INDICES,
  tickerIndexOf,
  tickerIndexOfMonth,
} from '../../core/market/index-names.ts';
import { formatSeries, type Market, type Series } from '../../core/market/series.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import type {
  HourCount,
  MarketTicks,
  SeriesTicks,
  TickHours,
  TickMonths,
} from '../../core/summarise/ports.ts';
import { numberIn, seriesIn } from './hits.ts';
import { allOf, MARKET_FIELDS, ofMarket, SERIES_FIELDS, sourcesOf, timeRange, values } from './queries.ts';
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

  async marketsOf(hourMs: number): Promise<MarketTicks[]> {
    await this.#refresh();
    const query = timeRange('slot', hourMs, hourMs + HOUR_MS);
    const sources = sourcesOf(MARKET_FIELDS);
    const index = tickerIndexOfHour(hourMs);
    const found = this.#search.buckets<{ key: Market; doc_count: number }>(index, query, sources);
    const markets = (await Array.fromAsync(found)).flat();
    return markets.map(({ key, doc_count: ticks }) => ({ ...key, ticks }));
  }

  async ticksOf(hourMs: number, market: Market): Promise<SeriesTicks[]> {
    await this.#refresh();
    const bySeries = new Map<string, SeriesTicks>();
    const pages = this.#search.pages(tickerIndexOfHour(hourMs), {
      query: allOf(ofMarket(market), timeRange('slot', hourMs, hourMs + HOUR_MS)),
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

  async totals(fromMs: number, toMs: number): Promise<Map<number, number>> {
    await this.#refresh();
    // Nothing but a range of times: OpenSearch then counts by its search tree instead of tick by tick.
    const query = timeRange('slot', fromMs, toMs);
    const { hours } = await this.#search.aggregate<{
      hours: { buckets: { key: number; doc_count: number }[] };
    }>(TICKER_INDICES, query, {
      hours: { date_histogram: { field: 'slot', fixed_interval: '1h', min_doc_count: 1 } },
    });
    return new Map(hours?.buckets.map(({ key, doc_count }) => [key, doc_count]));
  }

  async *tickCounts(fromMs: number, toMs: number): AsyncGenerator<HourCount[]> {
    await this.#refresh();
    yield* countsByHour(this.#search, TICKER_INDICES, 'slot', timeRange('slot', fromMs, toMs));
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

function tickerIndexOfHour(hourMs: number): string {
  return tickerIndexOf(new Date(hourMs).toISOString());
}

/** Documents (or, with `sumOf`, the sum of a field) by series and hour, page by page. */
export async function* countsByHour(
  search: OpenSearchSearch,
  index: string,
  timeField: string,
  query: object,
  sumOf?: string,
): AsyncGenerator<HourCount[]> {
  const sources = [
    ...sourcesOf(SERIES_FIELDS),
    { hour: { date_histogram: { field: timeField, fixed_interval: '1h' } } },
  ];
  const aggs = sumOf === undefined ? {} : { sum: { sum: { field: sumOf } } };
  for await (const page of search.buckets<HourBucket>(index, query, sources, aggs)) {
    yield page.map(({ key: { hour: hourMs, ...series }, doc_count, sum }) => ({
      series,
      hourMs,
      count: sum?.value ?? doc_count,
    }));
  }
}
