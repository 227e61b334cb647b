import { TICKER_FIELDS, type TickerFieldKind } from '../domain/ticker-fields.ts';

/** What differs between one machine and a domain. */
export interface IndexSettings {
  shards: number;
  replicas: number;
  /** How long a document may stay unsearchable, e.g. `30s`. */
  refreshInterval: string;
}

type Mapping = Record<string, unknown>;

/** Prices keep every digit; other numbers are for charts. Neither is searched by value, so no tree is kept. */
const KIND_MAPPINGS: Record<TickerFieldKind, Mapping> = {
  price: { type: 'double', index: false },
  number: { type: 'float', index: false },
  time: { type: 'date', index: false },
  text: { type: 'keyword', index: false },
};

/** Values that people filter by in Dashboards. */
const SEARCHED = new Set(['last_price', 'price_24h_pcnt', 'volume_24h', 'turnover_24h']);

const keyword: Mapping = { type: 'keyword' };
const date: Mapping = { type: 'date', format: 'strict_date_optional_time' };

function tickerProperties(): Mapping {
  const values = Object.entries(TICKER_FIELDS).map(([field, kind]): [string, Mapping] => {
    const { index, ...searched } = KIND_MAPPINGS[kind];
    return [field, SEARCHED.has(field) ? searched : { ...searched, index }];
  });
  return {
    v: { type: 'byte', index: false, doc_values: false },
    exchange: keyword,
    category: keyword,
    // The article's queries ask for `symbol` and for `symbol.keyword`.
    symbol: { ...keyword, fields: { keyword } },
    base: keyword,
    quote: keyword,
    slot: date,
    timestamp: date,
    received_at: { ...date, index: false },
    ...Object.fromEntries(values),
  };
}

/**
 * The index templates by name, as `PUT _index_template/<name>` takes them. Mappings are explicit and closed
 * (`dynamic: false`): a field that is not mapped stays in `_source` and costs nothing.
 */
export function indexTemplates({
  shards,
  replicas,
  refreshInterval,
}: IndexSettings): Record<string, Mapping> {
  return {
    'crypto-market-insights-tickers': {
      index_patterns: ['tickers-*'],
      priority: 100,
      _meta: { description: 'One document for each series and poll, an index for each month of slots.' },
      template: {
        settings: {
          index: {
            number_of_shards: shards,
            number_of_replicas: replicas,
            refresh_interval: refreshInterval,
            codec: 'best_compression',
            // A series' ticks lie together: smaller on disk, and a question reads fewer blocks.
            'sort.field': ['exchange', 'category', 'symbol', 'slot'],
            'sort.order': ['asc', 'asc', 'asc', 'asc'],
          },
        },
        mappings: { dynamic: false, properties: tickerProperties() },
        aliases: { tickers: {} },
      },
    },
  };
}
