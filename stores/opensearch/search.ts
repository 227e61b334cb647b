import type { Client } from '@opensearch-project/opensearch';
import { BACKOFFS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import type { SearchHit } from './hits.ts';

interface SearchAnswer<Source> {
  hits: { hits: SearchHit<Source>[] };
  aggregations?: Record<string, unknown>;
}

/** OpenSearch's default limit for one page. */
const PAGE = 10_000;
/**
 * Buckets in one page. An answer may have 65,535 (`search.max_buckets`), with all that is inside of them; the server
 * keeps a page's metrics in memory, which takes some kilobytes for each bucket's percentiles.
 */
const PAGE_BUCKETS = 3_000;

/** No answer, 429 and 5xx may succeed later; any other error will not. */
export function isTransient(error: unknown): boolean {
  const status = (error as { statusCode?: number }).statusCode;
  return status === undefined || status === 429 || status >= 500;
}

/** Retries transient errors until the deadline (epoch ms). */
export function retryTransient<T>(attempt: () => Promise<T>, deadlineMs: number): Promise<T> {
  return retryUntilDeadline(attempt, { deadlineMs, ...BACKOFFS.openSearch, isRetryable: isTransient });
}

/** Searches indices that may not exist yet: then it finds nothing. */
export class OpenSearchSearch {
  readonly #client: Client;
  readonly #deadlineMs: number;

  /** @param deadlineMs until when a failed search is retried, epoch ms */
  constructor(client: Client, deadlineMs: number) {
    this.#client = client;
    this.#deadlineMs = deadlineMs;
  }

  async search<Source>(index: string, body: object): Promise<SearchAnswer<Source>> {
    const answer = await retryTransient(
      () =>
        this.#client.transport.request({
          method: 'POST',
          path: `/${encodeURIComponent(index)}/_search`,
          querystring: {
            ignore_unavailable: 'true',
            allow_no_indices: 'true',
            expand_wildcards: 'open,hidden',
            // By default OpenSearch silently leaves out the results of failed shards.
            allow_partial_search_results: 'false',
          },
          body: { track_total_hits: false, ...body },
        }),
      this.#deadlineMs,
    );
    return answer.body as unknown as SearchAnswer<Source>;
  }

  async first(index: string, body: object): Promise<SearchHit | undefined> {
    const { hits } = await this.search(index, { ...body, size: 1 });
    return hits.hits[0];
  }

  /** The aggregations over everything that the query finds. */
  async aggregate<Aggregations>(
    index: string,
    query: object,
    aggs: Record<keyof Aggregations, object>,
  ): Promise<Partial<Aggregations>> {
    const { aggregations = {} } = await this.search(index, { size: 0, query, aggs });
    return aggregations as Partial<Aggregations>;
  }

  /**
   * Every hit, page by page.
   * @param body its `sort` must give every document a place of its own
   */
  async *pages<Source>(
    index: string,
    body: object,
    limit = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<SearchHit<Source>[]> {
    let left = limit;
    let after: unknown[] | undefined;
    while (left > 0) {
      const size = Math.min(PAGE, left);
      const { hits } = await this.search<Source>(index, {
        ...body,
        size,
        ...(after ? { search_after: after } : {}),
      });
      if (hits.hits.length > 0) yield hits.hits;
      if (hits.hits.length < size) return;
      after = hits.hits.at(-1)?.sort;
      left -= size;
    }
  }

  /** All hits of {@link pages}. */
  async all<Source>(index: string, body: object, limit?: number): Promise<SearchHit<Source>[]> {
    return (await Array.fromAsync(this.pages<Source>(index, body, limit))).flat();
  }

  /** Every bucket of a composite aggregation, page by page, however many there are. */
  async *buckets<Bucket>(
    index: string,
    query: object,
    sources: object[],
    aggs: object = {},
  ): AsyncGenerator<Bucket[]> {
    let after: object | undefined;
    do {
      const composite = { size: PAGE_BUCKETS, sources, ...(after ? { after } : {}) };
      const { all } = await this.aggregate<{ all: { buckets: Bucket[]; after_key?: object } }>(index, query, {
        all: { composite, aggs },
      });
      if (all && all.buckets.length > 0) yield all.buckets;
      after = all?.buckets.length === PAGE_BUCKETS ? all.after_key : undefined;
    } while (after);
  }
}
