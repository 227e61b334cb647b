import { bulkhead } from 'cockatiel';
import { TICKER_INDICES } from '../../../core/market/index-names.ts';
import { formatSeries, type Series } from '../../../core/market/series.ts';
import { type Columns, columnsOf, seriesOfRow } from '../columns.ts';
import { allOf, type Filter, SERIES_FIELDS, timeRange } from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';

/** Slots whose ticks are read at the same time. */
const SLOTS_AT_ONCE = 2;

export interface SeriesAt {
  series: Series;
  slotMs: number;
}

/**
 * These columns of one tick of each series. The ticks of a poll share their slot, so there are few slots, and a search for
 * each of them takes a small part of the time of a `top_hits` aggregation for each series.
 * @returns in the order of `wanted`; undefined for a tick that does not exist
 */
export async function ticksAt<Column extends string>(
  search: OpenSearchSearch,
  filters: readonly Filter[],
  wanted: readonly SeriesAt[],
  columns: readonly Column[],
): Promise<(Columns<Column | keyof Series> | undefined)[]> {
  const places = bulkhead(SLOTS_AT_ONCE, Number.POSITIVE_INFINITY);
  const bySlot = Map.groupBy(wanted, ({ slotMs }) => slotMs);
  const read = async (slotMs: number, ofSlot: readonly SeriesAt[]) => {
    const exchange = [...new Set(ofSlot.map(({ series }) => series.exchange))];
    const query = allOf(...filters, timeRange('slot', slotMs, slotMs + 1), { terms: { exchange } });
    const rows = await columnsOf(search, TICKER_INDICES, query, [...SERIES_FIELDS, ...columns]);
    return rows.map((row) => [keyOf(seriesOfRow(row), slotMs), row] as const);
  };
  const found = await Promise.all(
    [...bySlot].map(([slotMs, ofSlot]) => places.execute(() => read(slotMs, ofSlot))),
  );
  const ticks = new Map(found.flat());
  return wanted.map(({ series, slotMs }) => ticks.get(keyOf(series, slotMs)));
}

function keyOf(series: Series, slotMs: number): string {
  return `${formatSeries(series)} ${slotMs}`;
}
