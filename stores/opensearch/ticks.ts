import type { Client } from '@opensearch-project/opensearch';
import {
  monthOfTickerIndex,
  TICKER_INDICES,
  tickerIndexOf,
  tickerIndexOfMonth,
} from '../../core/market/index-names.ts';
import type { Market, Series } from '../../core/market/series.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import type {
  HourCount,
  MarketTicks,
  SeriesTicks,
  TickHours,
  TickMonths,
} from '../../core/summarise/ports.ts';
import { columnsOf, seriesOfRow } from './columns.ts';
import { numberIn } from './hits.ts';
import {
  allOf,
  type Filter,
  MARKET_FIELDS,
  ofMarket,
  SERIES_FIELDS,
  sourcesOf,
  timeRange,
  values,
} from './queries.ts';
import { type OpenSearchSearch, retryTransient } from './search.ts';

/** Ticks that are read with one search: the server and we keep them in memory. */
const TICKS_AT_ONCE = 30_000;

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

  async ticksOf(hourMs: number, market: MarketTicks): Promise<SeriesTicks[]> {
    await this.#refresh();
    const bySeries = new Map<string, SeriesTicks>();
    const index = tickerIndexOfHour(hourMs);
    for (const slots of partsOfHour(hourMs, market)) {
      const query = allOf(ofMarket(market), slots);
      for (const row of await columnsOf(this.#search, index, query, TICK_COLUMNS)) {
        const symbol = String(row.symbol);
        const ofSeries = bySeries.get(symbol) ?? { series: seriesOfRow({ ...row, ...market }), ticks: [] };
        bySeries.set(symbol, ofSeries);
        ofSeries.ticks.push({ slotMs: Number(row.slot), price: Number(row.last_price) });
      }
    }
    const found = [...bySeries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, ofSeries]) => ofSeries);
    for (const { ticks } of found) ticks.sort((a, b) => a.slotMs - b.slotMs);
    return found;
  }

  async totals(fromMs: number, toMs: number): Promise<Map<number, number>> {
    await this.#refresh();
    // With nothing but a range of times, OpenSearch counts by its search tree instead of tick by tick.
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

const TICK_COLUMNS = ['symbol', 'base', 'quote', 'slot', 'last_price'] as const;

/** As many parts of an hour as keep each search small. */
function partsOfHour(hourMs: number, { ticks = TICKS_AT_ONCE }: MarketTicks): Filter[] {
  const parts = Math.max(1, Math.ceil(ticks / TICKS_AT_ONCE));
  const edges = Array.from({ length: parts + 1 }, (_, part) => hourMs + Math.round((part * HOUR_MS) / parts));
  return edges.slice(1).map((toMs, part) => timeRange('slot', edges[part], toMs));
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
