import type { Client } from '@opensearch-project/opensearch';
import { BACKOFFS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';

/** One document as a search answers it. */
export interface SearchHit<Source = unknown> {
  _id: string;
  _source: Source;
  fields: Record<string, unknown[]>;
  sort: unknown[];
}

interface SearchAnswer<Source> {
  hits: { hits: SearchHit<Source>[] };
  aggregations?: Record<string, unknown>;
}

/** A page of a search, as large as OpenSearch answers one by default. */
const PAGE = 10_000;

/** No answer, 429 and 5xx may succeed later; any other error will not. */
export function isTransient(error: unknown): boolean {
  const status = (error as { statusCode?: number }).statusCode;
  return status === undefined || status === 429 || status >= 500;
}

/** Retries transient errors until the deadline (epoch ms). */
export function retryTransient<T>(attempt: () => Promise<T>, deadlineMs: number): Promise<T> {
  return retryUntilDeadline(attempt, {
    deadlineMs,
    ...BACKOFFS.openSearch,
    isRetryable: isTransient,
  });
}

/** Searches indices that may not be there yet: then nothing is found. */
export class OpenSearchSearch {
  readonly #client: Client;
  readonly #deadlineMs: number;

  /** @param deadlineMs epoch ms until which a search that failed is tried again */
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
          },
          body: { track_total_hits: false, ...body },
        }),
      this.#deadlineMs,
    );
    return answer.body as unknown as SearchAnswer<Source>;
  }

  /**
   * Every hit, page by page.
   * @param body with a `sort` that tells any two documents apart
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
    const hits: SearchHit<Source>[] = [];
    for await (const page of this.pages<Source>(index, body, limit)) hits.push(...page);
    return hits;
  }

  /** Every bucket of a composite aggregation, page by page. */
  async *buckets<Bucket>(
    index: string,
    query: object,
    composite: object,
    aggs: object = {},
  ): AsyncGenerator<Bucket[]> {
    let after: object | undefined;
    do {
      const { aggregations } = await this.search(index, {
        size: 0,
        query,
        aggs: { all: { composite: { size: PAGE, ...composite, ...(after ? { after } : {}) }, aggs } },
      });
      const all = aggregations?.all as { buckets: Bucket[]; after_key?: object } | undefined;
      if (all && all.buckets.length > 0) yield all.buckets;
      after = all?.after_key;
    } while (after);
  }
}
