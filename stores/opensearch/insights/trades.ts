import { TICKER_INDICES } from '../../../core/market/index-names.ts';
import { formatSeries } from '../../../core/market/series.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import { type Trade, tradeOfCandle, tradeOfTick } from '../../../core/market/turnover.ts';
import type { Window } from '../../../core/market/window.ts';
import { type Columns, seriesOfRow } from '../columns.ts';
import { numberIn } from '../hits.ts';
import { allOf, type Filter, newestFirst, SERIES_FIELDS, timeRange, values } from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';
import { bySeries, type Metric, max } from './aggregations.ts';
import { columnsByStart } from './candle-columns.ts';
import { ticksAt } from './ticks-at.ts';

const CURRENCIES = ['base', 'quote'] as const;

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
  const found = await bySeries<{ newest: Metric }>(search, TICKER_INDICES, inHour, { newest: max('slot') });
  const wanted = found.map(({ series, bucket }) => ({ series, slotMs: Number(bucket.newest.value) }));
  const ticks = await ticksAt(search, inHour, wanted, [
    ...CURRENCIES,
    'last_price',
    'turnover_24h',
    'volume_24h',
  ]);
  return ticks.flatMap((row) =>
    row
      ? tradeOfTick({
          ...seriesOfRow(row),
          last_price: Number(row.last_price),
          ...known(row, 'turnover_24h', 'volume_24h'),
        })
      : [],
  );
}

/** From the candles that the filters find and that start in the window, by their start. */
export async function candleTrades(
  search: OpenSearchSearch,
  filters: readonly Filter[],
  { fromMs, toMs }: Window,
): Promise<Trade[][]> {
  const inWindow = [...filters, timeRange('start', fromMs, toMs)];
  const columns = [...SERIES_FIELDS, ...CURRENCIES, 'close', 'turnover', 'volume'] as const;
  const byStart = await Array.fromAsync(columnsByStart(search, inWindow, columns));
  return byStart.map((rows) =>
    rows
      .map((row) =>
        tradeOfCandle({
          ...seriesOfRow(row),
          close: Number(row.close),
          ...known(row, 'turnover', 'volume'),
        }),
      )
      // Of two equal rates, the last one counts.
      .sort((a, b) => (formatSeries(a) < formatSeries(b) ? -1 : 1)),
  );
}

function known<Column extends string>(
  row: Columns<Column>,
  ...columns: Column[]
): Partial<Record<Column, number>> {
  const present = columns.filter((column) => row[column] !== null);
  return Object.fromEntries(present.map((column) => [column, Number(row[column])])) as Partial<
    Record<Column, number>
  >;
}
