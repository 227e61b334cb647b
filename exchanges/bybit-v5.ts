import * as z from 'zod';
import type { Category } from '../core/market/series.ts';
import { LATEST_MS } from '../core/market/time.ts';
import { bybitApiFailure, bybitHttpFailure } from './bybit-failures.ts';
import { splitBybitSymbol } from './bybit-symbols.ts';
import type { ExchangeAdapter } from './exchange-adapter.ts';
import { entriesOf, type FieldMap, normaliseList } from './normalise.ts';

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
const envelopeOf = (category: Category) =>
  outcome.extend({
    result: z.object({ category: z.literal(category), list: z.array(z.unknown()) }),
    time: z.number().int().positive().max(LATEST_MS),
  });

/** Bybit's current API: one request a category, the time only in the envelope. */
export const bybitV5: ExchangeAdapter = {
  defaultBaseUrl: 'https://api.bybit.com',
  categories: ['linear', 'inverse', 'spot', 'option'],
  pace: { concurrency: 4 },

  failureOf(response, context) {
    const failure = bybitHttpFailure(response, context);
    if (failure) return failure;
    const answer = outcome.safeParse(response.json);
    if (!answer.success) return undefined; // another shape: the client says what is wrong with it
    return bybitApiFailure(answer.data.retCode, answer.data.retMsg, response, context);
  },

  async tickers(ask, scope) {
    const { category } = scope;
    const { value, ...answer } = await ask(
      { path: `/v5/market/tickers?category=${category}` },
      envelopeOf(category),
    );
    const receipt = { ...scope, ...answer, timestamp: new Date(value.time).toISOString() };
    const pairOf = (symbol: string) => splitBybitSymbol(category, symbol);
    return normaliseList(entriesOf(value.result.list, 'symbol'), FIELDS, pairOf, receipt);
  },
};
