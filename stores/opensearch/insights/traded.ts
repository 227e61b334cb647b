import { TICKER_INDICES } from '../../../core/market/index-names.ts';
import { formatSeries } from '../../../core/market/series.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import type { Traded } from '../../../core/market/turnover.ts';
import { numberIn, type SearchHit, seriesIn } from '../hits.ts';
import { allOf, type Filter, newestFirst, SERIES_FIELDS, timeRange, values } from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';

const FIELDS = [...SERIES_FIELDS, 'base', 'quote', 'last_price', 'turnover_24h', 'volume_24h'];

/** The newest tick of each series that the filters find, in the hour up to their newest tick before a time. */
export async function newestTicks(
  search: OpenSearchSearch,
  filters: readonly Filter[],
  beforeMs?: number,
): Promise<Traded[]> {
  const newest = await search.first(TICKER_INDICES, {
    query: allOf(...filters, timeRange('slot', undefined, beforeMs)),
    ...newestFirst('slot'),
    ...values('slot'),
  });
  if (!newest) return [];
  const slotMs = numberIn(newest, 'slot');
  const hits = await search.all(TICKER_INDICES, {
    query: allOf(...filters, timeRange('slot', slotMs - HOUR_MS, slotMs + 1)),
    sort: ['slot', ...SERIES_FIELDS],
    ...values(...FIELDS),
  });
  const newestOfEach = new Map(hits.map((hit) => [formatSeries(seriesIn(hit)), hit]));
  return [...newestOfEach.values()].map(tradedIn);
}

function tradedIn(hit: SearchHit): Traded {
  const optional = (field: 'turnover_24h' | 'volume_24h') =>
    hit.fields[field] ? { [field]: numberIn(hit, field) } : {};
  return {
    ...seriesIn(hit),
    last_price: numberIn(hit, 'last_price'),
    ...optional('turnover_24h'),
    ...optional('volume_24h'),
  };
}
