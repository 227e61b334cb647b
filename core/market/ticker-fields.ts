/**
 * Every value that a ticker may have besides its heading, and its kind. The schema, the readers of exchanges' answers,
 * the fast recogniser of the index side and the index mapping are derived from this table.
 *
 * - `price`: an amount of the quote currency, > 0. Exchanges write 0 for "no price", which is left out.
 * - `number`: any finite number, such as a size or a volume.
 * - `fraction`: a share or a rate: 0.0068 is 0.68 %.
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
  price_1h_pcnt: 'fraction',
  price_24h_pcnt: 'fraction',
  volume_24h: 'number',
  turnover_24h: 'number',
  total_volume: 'number',
  total_turnover: 'number',
  open_interest: 'number',
  open_value: 'number',
  funding_rate: 'fraction',
  predicted_funding_rate: 'fraction',
  funding_interval_hours: 'number',
  funding_cap: 'fraction',
  basis: 'number',
  basis_rate: 'fraction',
  basis_rate_year: 'fraction',
  delivery_fee_rate: 'fraction',
  pre_open_quantity: 'number',
  bid_iv: 'fraction',
  ask_iv: 'fraction',
  mark_iv: 'fraction',
  delta: 'number',
  gamma: 'number',
  vega: 'number',
  theta: 'number',
  next_funding_time: 'time',
  delivery_time: 'time',
  last_tick_direction: 'text',
  pre_listing_phase: 'text',
} as const satisfies Record<string, TickerFieldKind>;

export type TickerFieldKind = 'price' | 'number' | 'fraction' | 'time' | 'text';
export type TickerField = keyof typeof TICKER_FIELDS;
