import type { Client } from '@opensearch-project/opensearch';
import { TICKER_INDICES } from '../../core/market/index-names.ts';

/** A market's tickers of some slots: from (epoch ms, inclusive) to (exclusive). */
export interface TickerRange {
  exchange: string;
  category: string;
  fromMs: number;
  toMs: number;
}

/** What the index holds of one exchange and category. */
export interface IndexedMarket {
  exchange: string;
  category: string;
  documents: number;
  firstSlotMs: number;
  lastSlotMs: number;
}

/** One document: which series it says it belongs to, and when. */
export interface IndexedTicker {
  id: string;
  symbol: string;
  slotMs: number;
}

interface CategoryBucket {
  key: string;
  doc_count: number;
  first: { value: number | null };
  last: { value: number | null };
}

/** More than anybody configures. */
const MOST_EXCHANGES = 1_000;
const PAGE = 10_000;
/** How long OpenSearch keeps its place between two pages. */
const SCROLL = '1m';

/** Which tickers the index holds, without reading them. */
export class OpenSearchTickerIds {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Makes everything that was indexed so far visible. */
  async refresh(): Promise<void> {
    await this.#client.indices.refresh({ index: TICKER_INDICES, allow_no_indices: true });
  }

  /** The markets that have documents. */
  async markets(): Promise<IndexedMarket[]> {
    const slots = { first: { min: { field: 'slot' } }, last: { max: { field: 'slot' } } };
    const categories = { terms: { field: 'category', size: MOST_EXCHANGES }, aggs: slots };
    const exchanges = { terms: { field: 'exchange', size: MOST_EXCHANGES }, aggs: { categories } };
    const question: object = { size: 0, aggs: { exchanges } };
    const { body } = await this.#client.search({ index: TICKER_INDICES, body: { ...question } });
    const { buckets } = (body.aggregations?.exchanges ?? { buckets: [] }) as unknown as {
      buckets: { key: string; categories: { buckets: CategoryBucket[] } }[];
    };
    return buckets.flatMap(({ key: exchange, categories }) =>
      categories.buckets.map(({ key: category, doc_count, first, last }) => ({
        exchange,
        category,
        documents: doc_count,
        firstSlotMs: first.value ?? 0,
        lastSlotMs: last.value ?? 0,
      })),
    );
  }

  /**
   * The newest slot (epoch ms) that an exchange, or one category of it, has a document of; undefined where there is
   * none. Cheap at any size: sorted by time, OpenSearch asks the newest index first and passes over those that cannot
   * hold anything newer.
   */
  async newestSlot({
    exchange,
    category,
  }: {
    exchange: string;
    category?: string;
  }): Promise<number | undefined> {
    const filter = [{ term: { exchange } }, ...(category === undefined ? [] : [{ term: { category } }])];
    const { body } = await this.#client.search({
      index: TICKER_INDICES,
      allow_no_indices: true,
      body: {
        size: 1,
        track_total_hits: false,
        query: { bool: { filter } },
        sort: [{ slot: { order: 'desc', unmapped_type: 'date' } }],
        _source: false,
      },
    });
    const slot = body.hits.hits[0]?.sort?.[0];
    return slot === undefined ? undefined : Number(slot);
  }

  /** Documents that lack what every ticker has, so that no range finds them. */
  async countStray(): Promise<number> {
    const identity = ['exchange', 'category', 'symbol', 'slot'];
    const { body } = await this.#client.count({
      index: TICKER_INDICES,
      body: {
        query: { bool: { should: identity.map((field) => ({ bool: { must_not: { exists: { field } } } })) } },
      },
    });
    return body.count;
  }

  /**
   * How many documents a range has, and how many of these have one of the ids: when both are as many as there are
   * ids, the range holds exactly these. The ids are looked up in the index' own dictionary, which is far cheaper
   * than to read those of the documents.
   */
  async count(range: TickerRange, ids: readonly string[]): Promise<{ total: number; known: number }> {
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

  /** The documents of a range, in no order; the same id comes twice where two indices hold it. */
  async *tickers(range: TickerRange): AsyncGenerator<IndexedTicker> {
    let { body } = await this.#client.search({
      index: TICKER_INDICES,
      scroll: SCROLL,
      body: {
        size: PAGE,
        sort: ['_doc'],
        query: inRange(range),
        _source: false,
        docvalue_fields: ['symbol', { field: 'slot', format: 'epoch_millis' }],
      },
    });
    // Where there is nothing there is nothing to page through; the place in it cannot even be given up.
    if (body.hits.hits.length === 0) return;
    try {
      while (body.hits.hits.length > 0) {
        for (const { _id, fields } of body.hits.hits) {
          const values = fields as { symbol?: [string]; slot?: [string] } | undefined;
          yield { id: String(_id), symbol: values?.symbol?.[0] ?? '', slotMs: Number(values?.slot?.[0]) };
        }
        ({ body } = await this.#client.scroll({
          body: { scroll: SCROLL, scroll_id: String(body._scroll_id) },
        }));
      }
    } finally {
      // Only a courtesy: it ends by itself, and roles may not allow to end it.
      await this.#client
        .clearScroll({ body: { scroll_id: [String(body._scroll_id)] } })
        .catch(() => undefined);
    }
  }
}

function inRange({ exchange, category, fromMs, toMs }: TickerRange) {
  return {
    bool: {
      filter: [
        { term: { exchange } },
        { term: { category } },
        // The mapping's own format has no epoch milliseconds.
        { range: { slot: { gte: fromMs, lt: toMs, format: 'epoch_millis' } } },
      ],
    },
  };
}
