import {
  CANDLE_VERSION,
  type Candle,
  type CandleSeries,
  type PathlessCandle,
} from '../../../core/market/candle.ts';
import { CANDLE_INDICES } from '../../../core/market/index-names.ts';
import type { CandleHours } from '../../../core/market/price-path.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import { type Columns, columnsOf } from '../columns.ts';
import type { SearchHit } from '../hits.ts';
import { allOf, type Filter, timeRange, values } from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';

const COLUMNS = [
  ...(['start', 'hours', 'open', 'high', 'low', 'close', 'mean'] as const),
  ...(['volume', 'turnover', 'samples', 'polls_due', 'source'] as const),
];
type Column = (typeof COLUMNS)[number];

/** The candles that a query finds, without their paths, by start. */
export async function candleColumns(
  search: OpenSearchSearch,
  series: CandleSeries,
  query: Filter,
): Promise<PathlessCandle[]> {
  const rows = await columnsOf(search, CANDLE_INDICES, query, COLUMNS);
  return rows.map((row) => candleOf(series, (column) => row[column])).sort((a, b) => a.startMs - b.startMs);
}

/**
 * These columns of every candle that the filters find, start by start, ascending: the server then keeps no more than one
 * candle of each series in memory.
 */
export async function* columnsByStart<Column extends string>(
  search: OpenSearchSearch,
  filters: readonly Filter[],
  columns: readonly Column[],
): AsyncGenerator<Columns<Column>[]> {
  const { starts } = await search.aggregate<{ starts: { buckets: { key: number }[] } }>(
    CANDLE_INDICES,
    allOf(...filters),
    { starts: { date_histogram: { field: 'start', fixed_interval: '1h', min_doc_count: 1 } } },
  );
  for (const { key } of starts?.buckets ?? []) {
    const ofStart = allOf(...filters, timeRange('start', key, key + HOUR_MS));
    yield await columnsOf(search, CANDLE_INDICES, ofStart, columns);
  }
}

/** Part of a search for {@link pathlessCandleIn}. */
export const COLUMN_VALUES = values(...COLUMNS);

export function pathlessCandleIn(series: CandleSeries, hit: SearchHit): PathlessCandle {
  return candleOf(series, (column) => hit.fields[column]?.[0]);
}

function candleOf(series: CandleSeries, cellOf: (column: Column) => unknown): PathlessCandle {
  const number = (column: Column) => Number(cellOf(column));
  const optional = (column: 'volume' | 'turnover' | 'polls_due') =>
    typeof cellOf(column) === 'number' ? { [column]: number(column) } : {};
  return {
    v: CANDLE_VERSION,
    ...series,
    startMs: number('start'),
    hours: number('hours') as CandleHours,
    open: number('open'),
    high: number('high'),
    low: number('low'),
    close: number('close'),
    mean: number('mean'),
    ...optional('volume'),
    ...optional('turnover'),
    samples: number('samples'),
    ...optional('polls_due'),
    source: cellOf('source') as Candle['source'],
  };
}
