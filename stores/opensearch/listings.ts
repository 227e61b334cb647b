import type { Client } from '@opensearch-project/opensearch';
import { type Listing, listingId } from '../../core/ingest/listings.ts';
import type { MarketListings, Scope } from '../../core/insights/ports.ts';
import { SUMMARY_STATE_INDEX } from '../../core/market/index-names.ts';
import type { Market, Series } from '../../core/market/series.ts';
import type { ListingIndex } from '../../core/operate/ports.ts';
import { OpenSearchBulk } from './bulk.ts';
import { allOf, type Filter, inScope, ofSeries } from './queries.ts';
import { OpenSearchSearch } from './search.ts';

/** A listing beside the notes of summarising: few documents, which the same functions read and write. */
interface ListingDocument extends Omit<Listing, 'v' | 'event' | 'at' | 'reason'> {
  kind: 'listing';
  /** When it was noticed; the field of this index that has a date. */
  hour: string;
  listing: Listing;
}

const IS_LISTING: Filter = { term: { kind: 'listing' } };

/** Some listings could not be written; the next run writes them. */
export class ListingWriteError extends Error {
  override readonly name = 'ListingWriteError';
}

/** When the market of one series came and went, in time order. */
export async function listingsOfSeries(search: OpenSearchSearch, series: Series): Promise<Listing[]> {
  const hits = await search.all<ListingDocument>(SUMMARY_STATE_INDEX, {
    query: allOf(IS_LISTING, ofSeries(series)),
    // Before the first document, the index may not know the field.
    sort: [{ hour: { order: 'asc', unmapped_type: 'date' } }],
  });
  return hits.map(({ _source }) => _source.listing);
}

/** Which markets came and went. */
export class OpenSearchListings implements MarketListings {
  readonly #search: OpenSearchSearch;

  constructor(search: OpenSearchSearch) {
    this.#search = search;
  }

  async listings(scope: Scope): Promise<Listing[]> {
    const hits = await this.#search.all<ListingDocument>(SUMMARY_STATE_INDEX, {
      query: allOf(IS_LISTING, inScope(scope)),
      sort: ['hour', 'exchange', 'category', 'symbol'],
    });
    return hits.map(({ _source }) => _source.listing);
  }
}

/** The listings, for the function that takes them from the lake. */
export class OpenSearchListingIndex implements ListingIndex {
  readonly #client: Client;
  readonly #bulk: OpenSearchBulk;

  constructor(client: Client) {
    this.#client = client;
    this.#bulk = new OpenSearchBulk(client);
  }

  async newestSlot({ exchange, category }: Market, deadlineMs: number): Promise<number | undefined> {
    const search = new OpenSearchSearch(this.#client, deadlineMs);
    const newest = await search.search<ListingDocument>(SUMMARY_STATE_INDEX, {
      query: allOf(IS_LISTING, { term: { exchange } }, { term: { category } }),
      // Before the first document, the index may not know the field.
      sort: [{ hour: { order: 'desc', unmapped_type: 'date' } }],
      size: 1,
    });
    const [hit] = newest.hits.hits;
    return hit && Date.parse(hit._source.hour);
  }

  async add(listings: readonly Listing[], deadlineMs: number): Promise<void> {
    const actions = listings.map((listing) => {
      const { exchange, category, symbol, at } = listing;
      const document: ListingDocument = { kind: 'listing', exchange, category, symbol, hour: at, listing };
      return {
        kind: 'index' as const,
        index: SUMMARY_STATE_INDEX,
        id: `listing:${listingId(listing)}`,
        source: JSON.stringify(document),
      };
    });
    const outcomes = await this.#bulk.write(actions, deadlineMs);
    const failed = outcomes.find(({ kind }) => kind === 'retry' || kind === 'refused');
    if (failed) throw new ListingWriteError(`Listings were not indexed: ${JSON.stringify(failed)}`);
  }
}
