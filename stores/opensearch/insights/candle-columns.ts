import {
  CANDLE_VERSION,
  type Candle,
  type CandleSeries,
  type PathlessCandle,
} from '../../../core/market/candle.ts';
import { CANDLE_INDICES } from '../../../core/market/index-names.ts';
import type { CandleHours } from '../../../core/market/price-path.ts';
import type { SearchHit } from '../hits.ts';
import { type Filter, values } from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';

const COLUMNS = [
  ...(['start', 'hours', 'open', 'high', 'low', 'close', 'mean'] as const),
  ...(['volume', 'turnover', 'samples', 'polls_due', 'source'] as const),
];
type Column = (typeof COLUMNS)[number];

/** The values of one candle, in the order of the columns; null where it has none. */
type Row = (number | string | null)[];

/**
 * Collects the columns of every candle. As hits, two years of hours take ten times as long: OpenSearch would load every
 * document's id, and answer in 10,000s. A column that an older index does not have is null.
 */
const COLLECT = {
  scripted_metric: {
    params: { columns: COLUMNS },
    init_script: 'state.rows = []',
    map_script: `
      def row = [];
      for (column in params.columns) {
        def value = null;
        if (doc.containsKey(column) && doc[column].size() > 0) value = doc[column].value;
        row.add(column == 'start' ? value.toInstant().toEpochMilli() : value);
      }
      state.rows.add(row)`,
    combine_script: 'return state.rows',
    reduce_script: 'return states',
  },
};

/** The candles that a query finds, without their paths, by start. */
export async function candleColumns(
  search: OpenSearchSearch,
  series: CandleSeries,
  query: Filter,
): Promise<PathlessCandle[]> {
  const { candles } = await search.aggregate<{ candles: { value: (Row[] | null)[] } }>(
    CANDLE_INDICES,
    query,
    {
      candles: COLLECT,
    },
  );
  return (candles?.value ?? [])
    .flatMap((rows) => rows ?? [])
    .map((row) => candleOf(series, (column) => row[COLUMNS.indexOf(column)]))
    .sort((a, b) => a.startMs - b.startMs);
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
