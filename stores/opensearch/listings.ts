import type { Client } from '@opensearch-project/opensearch';
import { type Listing, listingId } from '../../core/ingest/listings.ts';
import type { MarketListings, Scope } from '../../core/insights/ports.ts';
import { SUMMARY_STATE_INDEX } from '../../core/market/index-names.ts';
import type { Market, Series } from '../../core/market/series.ts';
import type { ListingIndex } from '../../core/operate/ports.ts';
import { isNote, type MarketNote, MarketNotes, notesByTime } from './market-notes.ts';
import { allOf, inScope, ofSeries } from './queries.ts';
import type { OpenSearchSearch } from './search.ts';

/** One coming or going of a series; `hour` is when it was noticed. */
interface ListingNote extends MarketNote, Series {
  kind: 'listing';
  listing: Listing;
}

/** When the market of one series came and went, in time order. */
export async function listingsOfSeries(search: OpenSearchSearch, series: Series): Promise<Listing[]> {
  const hits = await search.all<ListingNote>(SUMMARY_STATE_INDEX, {
    query: allOf(isNote('listing'), ofSeries(series)),
    sort: notesByTime('asc'),
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
    const hits = await this.#search.all<ListingNote>(SUMMARY_STATE_INDEX, {
      query: allOf(isNote('listing'), inScope(scope)),
      sort: ['hour', 'exchange', 'category', 'symbol'],
    });
    return hits.map(({ _source }) => _source.listing);
  }
}

/** The listings, for the function that takes them from the lake. */
export class OpenSearchListingIndex implements ListingIndex {
  readonly #notes: MarketNotes<ListingNote>;

  constructor(client: Client) {
    this.#notes = new MarketNotes(client, 'listing');
  }

  newestSlot(market: Market, deadlineMs: number): Promise<number | undefined> {
    return this.#notes.newest(market, deadlineMs);
  }

  add(listings: readonly Listing[], deadlineMs: number): Promise<void> {
    const notes = listings.map((listing) => {
      const { exchange, category, symbol, at } = listing;
      const note: ListingNote = { kind: 'listing', exchange, category, symbol, hour: at, listing };
      return [listingId(listing), note] as const;
    });
    return this.#notes.put(new Map(notes), deadlineMs);
  }
}
