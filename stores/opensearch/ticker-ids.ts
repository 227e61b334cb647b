import type { Client } from '@opensearch-project/opensearch';
import { TICKER_INDICES, tickerIndexOfMonth } from '../../core/market/index-names.ts';
import type { Category } from '../../core/market/series.ts';
import type { Extent, IndexedTicker, Stretch, TickerIds } from '../../core/operate/ports.ts';
import { numberIn, type SearchHit, textIn } from './hits.ts';
import { allOf, SERIES_FIELDS, timeRange, values } from './queries.ts';

interface CategoryBucket {
  key: Category;
  first: { value: number | null };
  last: { value: number | null };
}

const MAX_EXCHANGES = 1_000;
const PAGE = 10_000;
/** How long OpenSearch keeps a scroll open between two pages. */
const SCROLL = '1m';

/** Which tickers are indexed, without reading the documents. Nothing is retried. */
export class OpenSearchTickerIds implements TickerIds {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Makes everything indexed so far visible. */
  async refresh(): Promise<void> {
    await this.#client.indices.refresh({ index: TICKER_INDICES, allow_no_indices: true });
  }

  /** The markets with documents. */
  async markets(): Promise<Extent[]> {
    const slots = { first: { min: { field: 'slot' } }, last: { max: { field: 'slot' } } };
    const categories = { terms: { field: 'category', size: MAX_EXCHANGES }, aggs: slots };
    const exchanges = { terms: { field: 'exchange', size: MAX_EXCHANGES }, aggs: { categories } };
    const request: object = { size: 0, aggs: { exchanges } };
    const { body } = await this.#client.search({ index: TICKER_INDICES, body: { ...request } });
    const { buckets } = (body.aggregations?.exchanges ?? { buckets: [] }) as unknown as {
      buckets: { key: string; categories: { buckets: CategoryBucket[] } }[];
    };
    return buckets.flatMap(({ key: exchange, categories }) =>
      categories.buckets.map(({ key: category, first, last }) => ({
        exchange,
        category,
        firstMs: first.value ?? 0,
        lastMs: last.value ?? 0,
      })),
    );
  }

  /**
   * The newest slot (epoch ms) of an exchange, or of one of its categories; undefined if there is no document. Cheap at
   * any size: sorted by time, OpenSearch starts with the newest index and skips those that cannot have a newer slot.
   */
  async newestSlot({
    exchange,
    category,
  }: {
    exchange: string;
    category?: string;
  }): Promise<number | undefined> {
    const { body } = await this.#client.search({
      index: TICKER_INDICES,
      allow_no_indices: true,
      body: {
        size: 1,
        track_total_hits: false,
        query: allOf({ term: { exchange } }, ...(category === undefined ? [] : [{ term: { category } }])),
        sort: [{ slot: { order: 'desc', unmapped_type: 'date' } }],
        _source: false,
      },
    });
    const slot = body.hits.hits[0]?.sort?.[0];
    return slot === undefined ? undefined : Number(slot);
  }

  /** Documents without a field that every ticker has, so that no range finds them. */
  async countStray(): Promise<number> {
    const should = [...SERIES_FIELDS, 'slot'].map((field) => ({ bool: { must_not: { exists: { field } } } }));
    const { body } = await this.#client.count({
      index: TICKER_INDICES,
      body: { query: { bool: { should } } },
    });
    return body.count;
  }

  /**
   * How many documents a range has, and how many of them have one of the ids. If both equal the number of ids, the
   * range contains exactly these. Looking ids up in the index is far cheaper than reading those of the documents.
   */
  async count(range: Stretch, ids: readonly string[]): Promise<{ total: number; known: number }> {
    const { body } = await this.#client.search({
      index: TICKER_INDICES,
      body: {
        size: 0,
        track_total_hits: true,
        query: inRange(range),
        ...(ids.length > 0 ? { aggs: { known: { filter: { ids: { values: [...ids] } } } } } : {}),
      },
    });
    const { total } = body.hits;
    const known = body.aggregations?.known as unknown as { doc_count: number } | undefined;
    return { total: typeof total === 'number' ? total : (total?.value ?? 0), known: known?.doc_count ?? 0 };
  }

  async deleteMonth(month: string): Promise<void> {
    await this.#client.indices.delete({ index: tickerIndexOfMonth(month), ignore_unavailable: true });
  }

  /** The documents of a range in no particular order; an id appears twice if two indices have it. */
  async *tickers(range: Stretch): AsyncGenerator<IndexedTicker> {
    const request: object = {
      size: PAGE,
      sort: ['_doc'],
      query: inRange(range),
      ...values('symbol', 'slot'),
    };
    let { body } = await this.#client.search({
      index: TICKER_INDICES,
      scroll: SCROLL,
      body: { ...request },
    });
    // An empty answer has no scroll that could be closed.
    if (body.hits.hits.length === 0) return;
    try {
      while (body.hits.hits.length > 0) {
        for (const { _id, fields = {} } of body.hits.hits as Partial<SearchHit>[]) {
          const hit = { fields };
          yield { id: String(_id), symbol: textIn(hit, 'symbol') ?? '', slotMs: numberIn(hit, 'slot') };
        }
        ({ body } = await this.#client.scroll({
          body: { scroll: SCROLL, scroll_id: String(body._scroll_id) },
        }));
      }
    } finally {
      // A courtesy: the scroll expires anyway, and the role may not be allowed to close it.
      await this.#client
        .clearScroll({ body: { scroll_id: [String(body._scroll_id)] } })
        .catch(() => undefined);
    }
  }
}

function inRange({ exchange, category, fromMs, toMs }: Stretch) {
  return allOf({ term: { exchange } }, { term: { category } }, timeRange('slot', fromMs, toMs));
}
