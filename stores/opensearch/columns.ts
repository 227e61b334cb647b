import type { CandleSeries } from '../../core/market/candle.ts';
import type { Series } from '../../core/market/series.ts';
import type { Filter } from './queries.ts';
import type { OpenSearchSearch } from './search.ts';

/** The values of one document; null where it has none, times in epoch ms. */
export type Columns<Column extends string> = Record<Column, number | string | null>;

/**
 * These columns of every document that the query finds. Hits would take ten times as long: OpenSearch would
 * load every document's id, and return pages of 10,000. A column that an older index does not have is null.
 * @param query of limited size, because the server keeps all of them in memory: for example an hour, or one series
 */
export async function columnsOf<Column extends string>(
  search: OpenSearchSearch,
  index: string,
  query: Filter,
  columns: readonly Column[],
): Promise<Columns<Column>[]> {
  const { rows } = await search.aggregate<{ rows: { value: ((number | string | null)[][] | null)[] } }>(
    index,
    query,
    { rows: { scripted_metric: { params: { columns, times: TIMES }, ...COLLECT } } },
  );
  return (rows?.value ?? [])
    .flatMap((ofShard) => ofShard ?? [])
    .map(
      (row) => Object.fromEntries(columns.map((column, at) => [column, row[at] ?? null])) as Columns<Column>,
    );
}

/** With base and quote if the row has them. */
export function seriesOfRow(row: Columns<keyof Series> & Partial<Columns<'base' | 'quote'>>): CandleSeries {
  const { exchange, category, symbol, base, quote } = row;
  return {
    ...({ exchange, category, symbol } as Series),
    ...(typeof base === 'string' ? { base } : {}),
    ...(typeof quote === 'string' ? { quote } : {}),
  };
}

const TIMES = ['start', 'slot'];

const COLLECT = {
  init_script: 'state.rows = []',
  map_script: `
    def row = [];
    for (column in params.columns) {
      def value = null;
      if (doc.containsKey(column) && doc[column].size() > 0) value = doc[column].value;
      row.add(value != null && params.times.contains(column) ? value.toInstant().toEpochMilli() : value);
    }
    state.rows.add(row)`,
  combine_script: 'return state.rows',
  reduce_script: 'return states',
};
