import { CANDLE_INDICES, TICKER_INDICES } from '../../../core/market/index-names.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import { type Trade, tradeOfCandle, tradeOfTick } from '../../../core/market/turnover.ts';
import type { Window } from '../../../core/market/window.ts';
import { numberIn, type SearchHit, seriesIn } from '../hits.ts';
import { allOf, type Filter, newestFirst, SERIES_FIELDS, timeRange, values } from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';
import { bySeries } from './aggregations.ts';

const NAMES = [...SERIES_FIELDS, 'base', 'quote'];

/** From the newest tick of each series that the filters find, in the hour up to their newest tick in the window. */
export async function tickTrades(
  search: OpenSearchSearch,
  filters: readonly Filter[],
  { fromMs, toMs }: Partial<Window> = {},
): Promise<Trade[]> {
  const newest = await search.first(TICKER_INDICES, {
    query: allOf(...filters, timeRange('slot', fromMs, toMs)),
    ...newestFirst('slot'),
    ...values('slot'),
  });
  if (!newest) return [];
  const slotMs = numberIn(newest, 'slot');
  const inHour = [...filters, timeRange('slot', slotMs - HOUR_MS, slotMs + 1)];
  const fields = values(...NAMES, 'last_price', 'turnover_24h', 'volume_24h');
  const found = await bySeries<{ newest: { hits: { hits: [SearchHit] } } }>(search, TICKER_INDICES, inHour, {
    newest: { top_hits: { size: 1, ...newestFirst('slot'), ...fields } },
  });
  return found.map(({ bucket }) => {
    const [hit] = bucket.newest.hits.hits;
    return tradeOfTick({
      ...seriesIn(hit),
      last_price: numberIn(hit, 'last_price'),
      ...optional(hit, 'turnover_24h', 'volume_24h'),
    });
  });
}

/** From the candles that the filters find and that start in the window, by their start. */
export async function candleTrades(
  search: OpenSearchSearch,
  filters: readonly Filter[],
  { fromMs, toMs }: Window,
): Promise<Trade[][]> {
  const hits = await search.all(CANDLE_INDICES, {
    query: allOf(...filters, timeRange('start', fromMs, toMs)),
    sort: ['start', ...SERIES_FIELDS, 'hours'],
    ...values(...NAMES, 'start', 'close', 'turnover', 'volume'),
  });
  const byStart = Map.groupBy(hits, (hit) => numberIn(hit, 'start'));
  return [...byStart.values()].map((ofHour) =>
    ofHour.map((hit) =>
      tradeOfCandle({
        ...seriesIn(hit),
        close: numberIn(hit, 'close'),
        ...optional(hit, 'turnover', 'volume'),
      }),
    ),
  );
}

function optional<Field extends string>(hit: SearchHit, ...fields: Field[]): Partial<Record<Field, number>> {
  const present = fields.filter((field) => hit.fields[field]);
  return Object.fromEntries(present.map((field) => [field, numberIn(hit, field)])) as Partial<
    Record<Field, number>
  >;
}
