import type { InsightStores } from '../../../core/insights/ports.ts';
import { OpenSearchListings } from '../listings.ts';
import type { OpenSearchSearch } from '../search.ts';
import { OpenSearchCatalogue } from './catalogue.ts';
import { OpenSearchChanges } from './changes.ts';
import { OpenSearchMarket } from './market.ts';
import { OpenSearchSeries } from './series.ts';

/** @param search of one invocation: it has that invocation's deadline */
export function openSearchInsights(search: OpenSearchSearch): InsightStores {
  return {
    series: new OpenSearchSeries(search),
    catalogue: new OpenSearchCatalogue(search),
    market: new OpenSearchMarket(search),
    changes: new OpenSearchChanges(search),
    listings: new OpenSearchListings(search),
  };
}
