import * as z from 'zod';
import type { Category } from '../../domain/ticker.ts';
import { bybitApiFailure, bybitHttpFailure } from './bybit-failures.ts';
import { splitBybitSymbol } from './bybit-symbols.ts';
import type { ExchangeAdapter } from './exchange-adapter.ts';
import { type FieldMap, LATEST_MS, normaliseList } from './normalise.ts';

/** https://bybit-exchange.github.io/docs/v5/market/tickers: every value a string, "" means absent. */
const FIELDS: FieldMap = {
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
};

const outcome = z.object({ retCode: z.number(), retMsg: z.string().default('no message') });
const envelope = outcome.extend({
  result: z.object({ category: z.string(), list: z.array(z.unknown()) }),
  time: z.number().int().positive().max(LATEST_MS),
});

/** Bybit's current API: one request a category, the time only in the envelope. */
export const bybitV5: ExchangeAdapter = {
  defaultBaseUrl: 'https://api.bybit.com',
  categories: ['linear', 'inverse', 'spot', 'option'],

  requests: (categories) =>
    categories.map((category) => ({
      path: `/v5/market/tickers?category=${category}`,
      categories: [category],
    })),

  failureOf(response, context) {
    const failure = bybitHttpFailure(response, context);
    if (failure) return failure;
    const answer = outcome.safeParse(response.json);
    if (!answer.success) return undefined; // read() says what is wrong with it
    return bybitApiFailure(answer.data.retCode, answer.data.retMsg, response, context);
  },

  read(json, request, context) {
    const category = request.categories[0] as Category;
    const { result, time } = envelope.parse(json);
    if (result.category !== category) {
      throw new Error(`result.category: asked for "${category}", got "${result.category}"`);
    }
    const receipt = { ...context, timestamp: new Date(time).toISOString() };
    const identify = (symbol: string) => ({
      exchange: context.exchange,
      category,
      ...splitBybitSymbol(category, symbol),
    });
    return new Map([[category, normaliseList(result.list, FIELDS, identify, receipt)]]);
  },
};
