import * as z from 'zod';
import type { Category } from '../../core/market/series.ts';
import { LATEST_MS } from '../../core/market/time.ts';
import type { CandleApi, ExchangeCandle, TickerApi } from '../exchange.ts';
import { candleList } from '../payload/candles.ts';
import { fieldReaders } from '../payload/fields.ts';
import { entriesOf, normaliseList } from '../payload/tickers.ts';
import { splitBybitSymbol } from './symbols.ts';

/** https://bybit-exchange.github.io/docs/v5/market/tickers: all values are strings, "" means absent. */
const FIELDS = fieldReaders({
  lastPrice: 'last_price',
  bid1Price: 'bid_price',
  ask1Price: 'ask_price',
  bid1Size: 'bid_size',
  ask1Size: 'ask_size',
  indexPrice: 'index_price',
  markPrice: 'mark_price',
  usdIndexPrice: 'usd_index_price',
  underlyingPrice: 'underlying_price',
  prevPrice1h: 'prev_price_1h',
  prevPrice24h: 'prev_price_24h',
  highPrice24h: 'high_price_24h',
  lowPrice24h: 'low_price_24h',
  price24hPcnt: 'price_24h_pcnt',
  volume24h: 'volume_24h',
  turnover24h: 'turnover_24h',
  totalVolume: 'total_volume',
  totalTurnover: 'total_turnover',
  openInterest: 'open_interest',
  openInterestValue: 'open_value',
  fundingRate: 'funding_rate',
  nextFundingTime: 'next_funding_time',
  fundingIntervalHour: 'funding_interval_hours',
  fundingCap: 'funding_cap',
  predictedDeliveryPrice: 'predicted_delivery_price',
  deliveryTime: 'delivery_time',
  deliveryFeeRate: 'delivery_fee_rate',
  basis: 'basis',
  basisRate: 'basis_rate',
  basisRateYear: 'basis_rate_year',
  preOpenPrice: 'pre_open_price',
  preQty: 'pre_open_quantity',
  curPreListingPhase: 'pre_listing_phase',
  bid1Iv: 'bid_iv',
  ask1Iv: 'ask_iv',
  markIv: 'mark_iv',
  delta: 'delta',
  gamma: 'gamma',
  vega: 'vega',
  theta: 'theta',
});

const envelopeOf = (category: Category) =>
  z.object({
    result: z.object({ category: z.literal(category), list: z.array(z.unknown()) }),
    time: z.number().int().positive().max(LATEST_MS),
  });

/** One request for each category. Only the envelope has a time. */
export const bybitV5: TickerApi = {
  name: 'bybit-v5',
  categories: ['linear', 'inverse', 'spot', 'option'],
  defaultCategories: ['linear', 'inverse', 'spot'],
  async tickers(ask, scope) {
    const { category } = scope;
    const path = `/v5/market/tickers?category=${category}`;
    const { value, ...answer } = await ask({ path }, envelopeOf(category));
    const receipt = { ...scope, ...answer, timestamp: new Date(value.time).toISOString() };
    const pairOf = (symbol: string) => splitBybitSymbol(category, symbol);
    return normaliseList(entriesOf(value.result.list, 'symbol'), FIELDS, pairOf, receipt);
  },
};

const PAGE_HOURS = 1_000;
const klines = z.object({
  result: z.object({
    category: z.string().optional(),
    list: candleList('ms', ['open', 'high', 'low', 'close', 'volume', 'turnover']),
  }),
});

/** An inverse contract counts its volume in US dollars, and its turnover in the coin. */
function swapAmounts({ volume: turnover, turnover: volume, ...candle }: ExchangeCandle): ExchangeCandle {
  return { ...candle, volume, turnover };
}

/**
 * https://bybit-exchange.github.io/docs/v5/market/kline: [start, open, high, low, close, volume, turnover], newest
 * first. Options have no candles.
 */
export const bybitCandles: CandleApi = {
  format: 'bybit-v5',
  categories: ['linear', 'inverse', 'spot'],
  pageHours: PAGE_HOURS,
  request({ category, symbol, fromMs, toMs }) {
    const query = new URLSearchParams({
      category,
      symbol,
      interval: '60',
      start: String(fromMs),
      end: String(toMs - 1),
      limit: String(PAGE_HOURS),
    });
    return { path: `/v5/market/kline?${query}` };
  },
  shapeOf: () =>
    klines.transform(({ result }) =>
      result.category === 'inverse' ? result.list.map(swapAmounts) : result.list,
    ),
};
