import {
  CANDLE_INDICES,
  MOVES_INDEX,
  SUMMARY_STATE_INDEX,
  TICKER_INDICES,
} from '../../core/market/index-names.ts';
import { TICKER_FIELDS, type TickerFieldKind } from '../../core/market/ticker-fields.ts';

/** What differs between one machine and a domain. */
export interface IndexSettings {
  shards: number;
  replicas: number;
  /** How long a document may stay unsearchable, e.g. `30s`. */
  refreshInterval: string;
}

type Mapping = Record<string, unknown>;

/**
 * Prices keep every digit; other numbers are for charts. Without a tree to search them, which would be a tenth of the
 * index: where a value has a column, OpenSearch filters by that.
 */
const KIND_MAPPINGS: Record<TickerFieldKind, Mapping> = {
  price: { type: 'double', index: false },
  number: { type: 'float', index: false },
  time: { type: 'date', index: false },
  text: { type: 'keyword', index: false },
};

/** Values that questions, charts and people's filters ask for: they have a column each. */
const CHARTED = new Set([
  'last_price',
  'mark_price',
  'price_24h_pcnt',
  'volume_24h',
  'turnover_24h',
  'open_interest',
  'funding_rate',
]);

/** Of the other values, which are checked and come with the document (`_source`). Columns of them all would not pay. */
const IN_SOURCE_ONLY: Mapping = { index: false, doc_values: false };

const keyword: Mapping = { type: 'keyword' };
const date: Mapping = { type: 'date', format: 'strict_date_optional_time' };

function tickerProperties(): Mapping {
  const values = Object.entries(TICKER_FIELDS).map(([field, kind]): [string, Mapping] => [
    field,
    { ...KIND_MAPPINGS[kind], ...(CHARTED.has(field) ? {} : IN_SOURCE_ONLY) },
  ]);
  return {
    v: { type: 'byte', ...IN_SOURCE_ONLY },
    exchange: keyword,
    category: keyword,
    // The article's queries ask for `symbol` and for `symbol.keyword`.
    symbol: { ...keyword, fields: { keyword } },
    base: keyword,
    quote: keyword,
    slot: date,
    timestamp: date,
    received_at: { ...date, ...IN_SOURCE_ONLY },
    ...Object.fromEntries(values),
  };
}

const double: Mapping = { type: 'double' };
const instant: Mapping = { ...date, index: false };
/** A price is read and aggregated, never searched for. */
const price: Mapping = { type: 'double', index: false };

const seriesProperties: Mapping = {
  v: { type: 'byte', ...IN_SOURCE_ONLY },
  exchange: keyword,
  category: keyword,
  symbol: { ...keyword, fields: { keyword } },
};

const candleProperties: Mapping = {
  ...seriesProperties,
  base: keyword,
  quote: keyword,
  start: date,
  hours: { type: 'byte' },
  open: price,
  high: price,
  low: price,
  close: price,
  mean: price,
  samples: { type: 'integer' },
  polls_due: { type: 'integer', index: false },
  log_return: double,
  source: keyword,
  // Read with the document only.
  path: { type: 'object', enabled: false },
};

const moveProperties: Mapping = {
  ...seriesProperties,
  threshold: double,
  direction: keyword,
  from_price: price,
  from_time: instant,
  confirmed_price: price,
  confirmed_time: date,
  to_price: price,
  to_time: instant,
  size: double,
};

/** Of what summarising has to remember, only what is searched for is mapped. */
const summaryStateProperties: Mapping = {
  kind: keyword,
  exchange: keyword,
  category: keyword,
  symbol: keyword,
  stale: { type: 'boolean' },
};

/**
 * The index templates by name, as `PUT _index_template/<name>` takes them. Mappings are explicit and closed
 * (`dynamic: false`): a field that is not mapped stays in `_source` and costs nothing.
 */
export function indexTemplates({
  shards,
  replicas,
  refreshInterval,
}: IndexSettings): Record<string, Mapping> {
  const stored = {
    number_of_shards: shards,
    number_of_replicas: replicas,
    refresh_interval: refreshInterval,
  };
  /** A series' documents lie together in time order: smaller on disk, and a question reads fewer blocks. */
  const bySeriesAnd = (time: string) => ({
    ...stored,
    codec: 'best_compression',
    'sort.field': ['exchange', 'category', 'symbol', time],
    'sort.order': ['asc', 'asc', 'asc', 'asc'],
  });
  const template = (description: string, pattern: string, index: Mapping, properties: Mapping): Mapping => ({
    index_patterns: [pattern],
    priority: 100,
    _meta: { description },
    template: { settings: { index }, mappings: { dynamic: false, properties } },
  });
  const tickers = template(
    'One document for each series and poll, an index for each month of slots.',
    TICKER_INDICES,
    bySeriesAnd('slot'),
    tickerProperties(),
  );
  return {
    'crypto-market-insights-tickers': {
      ...tickers,
      template: { ...(tickers.template as Mapping), aliases: { tickers: {} } },
    },
    'crypto-market-insights-candles': template(
      'One document for each series and hour (or day, where only daily history exists), an index for each year.',
      CANDLE_INDICES,
      bySeriesAnd('start'),
      candleProperties,
    ),
    'crypto-market-insights-moves': template(
      'One document for each rise and fall of a configured size, of each series.',
      MOVES_INDEX,
      bySeriesAnd('confirmed_time'),
      moveProperties,
    ),
    'crypto-market-insights-summaries-state': template(
      'What summarising remembers between its runs, and the lock that keeps two of them apart.',
      SUMMARY_STATE_INDEX,
      { ...stored, number_of_shards: 1, hidden: true },
      summaryStateProperties,
    ),
  };
}
