import {
  CANDLE_INDICES,
  LATE_HOURS_INDEX,
  MOVES_INDEX,
  SUMMARY_STATE_INDEX,
  TICKER_INDICES,
} from '../../core/market/index-names.ts';
import { TICKER_FIELDS, type TickerFieldKind } from '../../core/market/ticker-fields.ts';
import { SERIES_FIELDS } from './queries.ts';

/** What differs between a local server and a domain. */
export interface IndexSettings {
  shards: number;
  replicas: number;
  /** How long until a new document can be searched, e.g. `30s`. */
  refreshInterval: string;
}

/** Something that setup puts into OpenSearch; repeating it changes nothing. */
export interface SetupStep {
  /** For messages: "the index template crypto-market-insights-tickers". */
  what: string;
  /** Path of the PUT request. */
  path: string;
  body: object;
}

type Mapping = Record<string, unknown>;

/**
 * Prices keep every digit, other numbers are for charts. None of them gets a search tree, which would be a tenth of
 * the index: OpenSearch can filter by a column.
 */
const KIND_MAPPINGS: Record<TickerFieldKind, Mapping> = {
  price: { type: 'double', index: false },
  number: { type: 'float', index: false },
  time: { type: 'date', index: false },
  text: { type: 'keyword', index: false },
};

/** Values that questions, charts and people's filters use: each has a column. */
const CHARTED = new Set([
  'last_price',
  'mark_price',
  'price_24h_pcnt',
  'volume_24h',
  'turnover_24h',
  'open_interest',
  'funding_rate',
]);

/** Checked on writing and returned with `_source`, but without a column, which would cost more than it gives. */
const IN_SOURCE_ONLY: Mapping = { index: false, doc_values: false };

const keyword: Mapping = { type: 'keyword' };
const date: Mapping = { type: 'date', format: 'strict_date_optional_time' };
const double: Mapping = { type: 'double' };
const unsearchedDate: Mapping = { ...date, index: false };
/** Read and aggregated, never searched for. */
const price: Mapping = { ...double, index: false };

const seriesProperties: Mapping = {
  v: { type: 'byte', ...IN_SOURCE_ONLY },
  exchange: keyword,
  category: keyword,
  // The article's queries use both `symbol` and `symbol.keyword`.
  symbol: { ...keyword, fields: { keyword } },
};

const tickerProperties: Mapping = {
  ...seriesProperties,
  base: keyword,
  quote: keyword,
  slot: date,
  timestamp: date,
  received_at: { ...date, ...IN_SOURCE_ONLY },
  ...Object.fromEntries(
    Object.entries(TICKER_FIELDS).map(([field, kind]) => [
      field,
      { ...KIND_MAPPINGS[kind], ...(CHARTED.has(field) ? {} : IN_SOURCE_ONLY) },
    ]),
  ),
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
  volume: price,
  turnover: price,
  samples: { type: 'integer' },
  polls_due: { type: 'integer', index: false },
  log_return: double,
  source: keyword,
  // Only read with the document.
  path: { type: 'object', enabled: false },
};

const moveProperties: Mapping = {
  ...seriesProperties,
  threshold: double,
  direction: keyword,
  from_price: price,
  from_time: unsearchedDate,
  confirmed_price: price,
  confirmed_time: date,
  to_price: price,
  to_time: unsearchedDate,
  size: double,
};

/** Only what is searched for; the rest is in `_source`. */
const summaryStateProperties: Mapping = {
  kind: keyword,
  exchange: keyword,
  category: keyword,
  symbol: keyword,
  stale: { type: 'boolean' },
  hour: date,
};

/**
 * The index templates by name, as `PUT _index_template/<name>` takes them. `dynamic: false`: an unmapped field stays
 * in `_source` and costs nothing.
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
  /** Keeps a series' documents together in time order: smaller on disk, and a question reads fewer blocks. */
  const sortedBy = (time: string) => ({
    ...stored,
    codec: 'best_compression',
    'sort.field': [...SERIES_FIELDS, time],
    'sort.order': ['asc', 'asc', 'asc', 'asc'],
  });
  const template = (
    description: string,
    patterns: string | string[],
    index: Mapping,
    properties: Mapping,
    aliases?: Mapping,
  ): Mapping => ({
    index_patterns: [patterns].flat(),
    priority: 100,
    _meta: { description },
    template: {
      settings: { index },
      mappings: { dynamic: false, properties },
      ...(aliases ? { aliases } : {}),
    },
  });
  return {
    'crypto-market-insights-tickers': template(
      'One document per series and poll, one index per month of slots.',
      TICKER_INDICES,
      sortedBy('slot'),
      tickerProperties,
      { tickers: {} },
    ),
    'crypto-market-insights-candles': template(
      'One document per series and hour (or day, if only daily history exists), one index per year.',
      CANDLE_INDICES,
      sortedBy('start'),
      candleProperties,
    ),
    'crypto-market-insights-moves': template(
      'One document per series and rise or fall of a configured size.',
      MOVES_INDEX,
      sortedBy('confirmed_time'),
      moveProperties,
    ),
    'crypto-market-insights-summaries-state': template(
      'What summarising remembers between runs, the lease that keeps two runs apart, and hours with late ticks.',
      [SUMMARY_STATE_INDEX, LATE_HOURS_INDEX],
      { ...stored, number_of_shards: 1, hidden: true },
      summaryStateProperties,
    ),
  };
}

export function templateSteps(settings: IndexSettings): SetupStep[] {
  return Object.entries(indexTemplates(settings)).map(([name, body]) => ({
    what: `the index template ${name}`,
    path: `/_index_template/${name}`,
    body,
  }));
}
