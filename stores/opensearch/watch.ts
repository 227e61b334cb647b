import type { Client } from '@opensearch-project/opensearch';
import { TICKER_INDICES } from '../../core/market/index-names.ts';
import type { Market } from '../../core/market/series.ts';
import type { WatchedIndex } from '../../core/operate/watch.ts';
import { timeRange } from './queries.ts';
import { OpenSearchSearch, retryTransient } from './search.ts';
import { readSummarisedUntil } from './summaries.ts';
import { OpenSearchTickerIds } from './ticker-ids.ts';

/** How fresh the index is; retried until the deadline. */
export class OpenSearchWatch implements WatchedIndex {
  readonly #client: Client;
  readonly #deadlineMs: number;

  /** @param deadlineMs epoch ms */
  constructor(client: Client, deadlineMs: number) {
    this.#client = client;
    this.#deadlineMs = deadlineMs;
  }

  newestSlot(market: Market): Promise<number | undefined> {
    const ids = new OpenSearchTickerIds(this.#client);
    return retryTransient(() => ids.newestSlot(market), this.#deadlineMs);
  }

  summarisedUntil(): Promise<number | undefined> {
    return readSummarisedUntil(this.#client, this.#deadlineMs);
  }

  async hoursWithTicks(fromMs: number, toMs: number): Promise<number> {
    const search = new OpenSearchSearch(this.#client, this.#deadlineMs);
    const { aggregations } = await search.search(TICKER_INDICES, {
      size: 0,
      query: timeRange('slot', fromMs, toMs),
      aggs: {
        hours: { date_histogram: { field: 'slot', fixed_interval: '1h', min_doc_count: 1 } },
      },
    });
    const hours = aggregations?.hours as { buckets: unknown[] } | undefined;
    return hours?.buckets.length ?? 0;
  }
}
