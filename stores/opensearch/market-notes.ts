import type { Client } from '@opensearch-project/opensearch';
import { SUMMARY_STATE_INDEX } from '../../core/market/index-names.ts';
import type { Market } from '../../core/market/series.ts';
import { OpenSearchBulk } from './bulk.ts';
import { allOf, type Filter, ofMarket } from './queries.ts';
import { OpenSearchSearch } from './search.ts';

/** What polls noticed about a market, beside the notes of summarising: few documents, which the same functions read and write. */
export interface MarketNote extends Market {
  kind: 'listing' | 'failedPolls';
  /** ISO 8601 UTC; the field of this index that has a date. */
  hour: string;
}

/** Before the first note, the index may not know the field. */
export const notesByTime = (order: 'asc' | 'desc') => [{ hour: { order, unmapped_type: 'date' } }];

export const isNote = (kind: MarketNote['kind']): Filter => ({ term: { kind } });

/** Some notes could not be written; the next run writes them. */
export class MarketNoteError extends Error {
  override readonly name = 'MarketNoteError';
}

/** Notes of one kind, for the function that takes them from the lake. */
export class MarketNotes<Note extends MarketNote> {
  readonly #client: Client;
  readonly #bulk: OpenSearchBulk;
  readonly #kind: Note['kind'];

  constructor(client: Client, kind: Note['kind']) {
    this.#client = client;
    this.#bulk = new OpenSearchBulk(client);
    this.#kind = kind;
  }

  /** The time of a market's newest note, epoch ms. */
  async newest(market: Market, deadlineMs: number): Promise<number | undefined> {
    const search = new OpenSearchSearch(this.#client, deadlineMs);
    const { hits } = await search.search<Note>(SUMMARY_STATE_INDEX, {
      query: allOf(isNote(this.#kind), ofMarket(market)),
      sort: notesByTime('desc'),
      size: 1,
    });
    const [hit] = hits.hits;
    return hit && Date.parse(hit._source.hour);
  }

  /**
   * Replaces the notes that have these ids.
   * @throws MarketNoteError
   */
  async put(notes: ReadonlyMap<string, Note>, deadlineMs: number): Promise<void> {
    const actions = [...notes].map(([id, note]) => ({
      kind: 'index' as const,
      index: SUMMARY_STATE_INDEX,
      id: `${this.#kind}:${id}`,
      source: JSON.stringify(note),
    }));
    const outcomes = await this.#bulk.write(actions, deadlineMs);
    const failed = outcomes.find(({ kind }) => kind === 'retry' || kind === 'refused');
    if (failed) throw new MarketNoteError(`${this.#kind} was not indexed: ${JSON.stringify(failed)}`);
  }
}
