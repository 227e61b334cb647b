/**
 * Every value that a ticker may have besides its heading, and its kind. The schema, the readers of exchanges' answers,
 * the fast recogniser of the index side and the index mapping are derived from this table.
 *
 * - `price`: an amount of the quote currency, > 0. Exchanges write 0 for "no price", which is left out.
 * - `number`: any finite number (sizes, volumes, rates). Percentages are fractions: 0.0068 is 0.68 %.
 * - `time`: ISO 8601 UTC with milliseconds.
 * - `text`: a short word from the exchange's vocabulary.
 */
export const TICKER_FIELDS = {
  last_price: 'price',
  bid_price: 'price',
  ask_price: 'price',
  index_price: 'price',
  mark_price: 'price',
  usd_index_price: 'price',
  underlying_price: 'price',
  prev_price_1h: 'price',
  prev_price_24h: 'price',
  high_price_24h: 'price',
  low_price_24h: 'price',
  predicted_delivery_price: 'price',
  pre_open_price: 'price',
  bid_size: 'number',
  ask_size: 'number',
  price_1h_pcnt: 'number',
  price_24h_pcnt: 'number',
  volume_24h: 'number',
  turnover_24h: 'number',
  total_volume: 'number',
  total_turnover: 'number',
  open_interest: 'number',
  open_value: 'number',
  funding_rate: 'number',
  predicted_funding_rate: 'number',
  funding_interval_hours: 'number',
  funding_cap: 'number',
  basis: 'number',
  basis_rate: 'number',
  basis_rate_year: 'number',
  delivery_fee_rate: 'number',
  pre_open_quantity: 'number',
  bid_iv: 'number',
  ask_iv: 'number',
  mark_iv: 'number',
  delta: 'number',
  gamma: 'number',
  vega: 'number',
  theta: 'number',
  next_funding_time: 'time',
  delivery_time: 'time',
  last_tick_direction: 'text',
  pre_listing_phase: 'text',
} as const satisfies Record<string, TickerFieldKind>;

export type TickerFieldKind = 'price' | 'number' | 'time' | 'text';
export type TickerField = keyof typeof TICKER_FIELDS;
