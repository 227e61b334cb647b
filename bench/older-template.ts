import { TICKER_FIELDS } from '../core/market/ticker-fields.ts';

const CHARTED = [
  'last_price',
  'mark_price',
  'price_24h_pcnt',
  'volume_24h',
  'turnover_24h',
  'open_interest',
  'funding_rate',
];
const TYPES = { price: 'double', number: 'float', fraction: 'float', time: 'date', text: 'keyword' };

const keyword = { type: 'keyword' };
const date = { type: 'date', format: 'strict_date_optional_time' };
const inSourceOnly = { index: false, doc_values: false };

/** The tickers' index template before every field had a column: documents keep their `_source`, most numbers are floats. */
export const OLDER_TEMPLATE = {
  index_patterns: ['tickers-*'],
  priority: 100,
  template: {
    settings: {
      index: {
        number_of_replicas: 0,
        refresh_interval: '1s',
        codec: 'best_compression',
        'sort.field': ['exchange', 'category', 'symbol', 'slot'],
        'sort.order': ['asc', 'asc', 'asc', 'asc'],
      },
    },
    mappings: {
      dynamic: false,
      properties: {
        v: { type: 'byte', ...inSourceOnly },
        exchange: keyword,
        category: keyword,
        symbol: { ...keyword, fields: { keyword } },
        base: keyword,
        quote: keyword,
        slot: date,
        timestamp: date,
        received_at: { ...date, ...inSourceOnly },
        ...Object.fromEntries(
          Object.entries(TICKER_FIELDS).map(([field, kind]) => [
            field,
            { type: TYPES[kind], ...(CHARTED.includes(field) ? { index: false } : inSourceOnly) },
          ]),
        ),
      },
    },
    aliases: { tickers: {} },
  },
};
