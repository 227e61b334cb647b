import type { Client } from '@opensearch-project/opensearch';
import type { FailedPolls } from '../../core/completeness/failures.ts';
import { SUMMARY_STATE_INDEX } from '../../core/market/index-names.ts';
import { formatMarket, type Market } from '../../core/market/series.ts';
import type { FailedPollIndex } from '../../core/operate/ports.ts';
import { OpenSearchBulk } from './bulk.ts';
import { allOf, type Filter, ofMarket } from './queries.ts';
import { OpenSearchSearch } from './search.ts';

/** One hour of a market in which the exchange failed; beside the listings, for the same reason. */
interface FailedPollsDocument extends Market {
  kind: 'failedPolls';
  /** ISO 8601 UTC. */
  hour: string;
  failed: number;
  due: number;
}

const IS_FAILED_POLLS: Filter = { term: { kind: 'failedPolls' } };

/** Some hours could not be written; the next run writes them. */
export class FailedPollWriteError extends Error {
  override readonly name = 'FailedPollWriteError';
}

/** The hours of a market in which polls failed, in time order. */
export async function failedPollsOfMarket(search: OpenSearchSearch, market: Market): Promise<FailedPolls[]> {
  const hits = await search.all<FailedPollsDocument>(SUMMARY_STATE_INDEX, {
    query: allOf(IS_FAILED_POLLS, ofMarket(market)),
    // Before the first document, the index may not know the field.
    sort: [{ hour: { order: 'asc', unmapped_type: 'date' } }],
  });
  return hits.map(({ _source: { exchange, category, hour, failed, due } }) => {
    return { exchange, category, hourMs: Date.parse(hour), failed, due };
  });
}

/** For the function that takes them from the lake. */
export class OpenSearchFailedPollIndex implements FailedPollIndex {
  readonly #client: Client;
  readonly #bulk: OpenSearchBulk;

  constructor(client: Client) {
    this.#client = client;
    this.#bulk = new OpenSearchBulk(client);
  }

  async newestHour(market: Market, deadlineMs: number): Promise<number | undefined> {
    const search = new OpenSearchSearch(this.#client, deadlineMs);
    const { hits } = await search.search<FailedPollsDocument>(SUMMARY_STATE_INDEX, {
      query: allOf(IS_FAILED_POLLS, ofMarket(market)),
      sort: [{ hour: { order: 'desc', unmapped_type: 'date' } }],
      size: 1,
    });
    const [hit] = hits.hits;
    return hit && Date.parse(hit._source.hour);
  }

  async add(hours: readonly FailedPolls[], deadlineMs: number): Promise<void> {
    const actions = hours.map(({ exchange, category, hourMs, failed, due }) => {
      const hour = new Date(hourMs).toISOString();
      const document: FailedPollsDocument = { kind: 'failedPolls', exchange, category, hour, failed, due };
      return {
        kind: 'index' as const,
        index: SUMMARY_STATE_INDEX,
        id: `failedPolls:${formatMarket(document)}:${hourMs}`,
        source: JSON.stringify(document),
      };
    });
    const outcomes = await this.#bulk.write(actions, deadlineMs);
    const bad = outcomes.find(({ kind }) => kind === 'retry' || kind === 'refused');
    if (bad) throw new FailedPollWriteError(`Failed polls were not indexed: ${JSON.stringify(bad)}`);
  }
}
