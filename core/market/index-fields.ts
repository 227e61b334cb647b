/**
 * Every field of the indices that people look at, and what it contains. The index mappings and the index patterns of
 * OpenSearch Dashboards are made from these tables.
 *
 * - `version`: of the record's shape.
 * - `name`: text to search and group by.
 * - `count`: a whole number.
 * - The others are those of tickers.
 */
import { CANDLE_INDICES, MOVES_INDEX, TICKER_INDICES } from './index-names.ts';
import { TICKER_FIELDS, type TickerFieldKind } from './ticker-fields.ts';

export type IndexFieldKind = TickerFieldKind | 'version' | 'name' | 'count';

type IndexFields = Readonly<Record<string, IndexFieldKind>>;

const SERIES = {
  v: 'version',
  exchange: 'name',
  category: 'name',
  symbol: 'name',
} as const satisfies IndexFields;

const CURRENCIES = { base: 'name', quote: 'name' } as const satisfies IndexFields;

export const INDEX_FIELDS = {
  [TICKER_INDICES]: {
    ...SERIES,
    ...CURRENCIES,
    slot: 'time',
    timestamp: 'time',
    received_at: 'time',
    ...TICKER_FIELDS,
  },
  [CANDLE_INDICES]: {
    ...SERIES,
    ...CURRENCIES,
    start: 'time',
    hours: 'count',
    open: 'price',
    high: 'price',
    low: 'price',
    close: 'price',
    mean: 'price',
    volume: 'number',
    turnover: 'number',
    samples: 'count',
    polls_due: 'count',
    log_return: 'number',
    source: 'name',
  },
  [MOVES_INDEX]: {
    ...SERIES,
    threshold: 'fraction',
    direction: 'name',
    from_price: 'price',
    from_time: 'time',
    confirmed_price: 'price',
    confirmed_time: 'time',
    to_price: 'price',
    to_time: 'time',
    size: 'fraction',
  },
} as const satisfies Record<string, IndexFields>;

/**
 * The field for the JSON of a ticker that has more fields than the schema knows: documents are made of columns, and
 * those have none.
 */
export const ORIGINAL = 'original';

/** An index pattern of Dashboards. */
export type ChartedIndices = keyof typeof INDEX_FIELDS;
