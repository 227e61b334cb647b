import type { InsightStores, MarketListings, MarketNotes } from '../../../core/insights/ports.ts';
import { LakeCatalogue } from './catalogue.ts';
import { LakeChanges } from './changes.ts';
import { LakeMarket } from './market.ts';
import { LakeSeries } from './series.ts';
import type { LakeTables } from './tables.ts';

/**
 * Everything that questions read, from the lake's Parquet files instead of OpenSearch.
 * @param notes what polls noticed, which is in the lake too
 */
export function lakeInsights(tables: LakeTables, notes: MarketListings & MarketNotes): InsightStores {
  return {
    series: new LakeSeries(tables, notes),
    catalogue: new LakeCatalogue(tables),
    market: new LakeMarket(tables),
    changes: new LakeChanges(tables),
    listings: notes,
  };
}
