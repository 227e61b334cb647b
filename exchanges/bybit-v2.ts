import * as z from 'zod';
import type { Category } from '../core/market/series.ts';
import type { TickerField } from '../core/market/ticker-fields.ts';
import { LATEST_MS } from '../core/market/time.ts';
import { bybitApiFailure, bybitHttpFailure } from './bybit-failures.ts';
import { splitBybitSymbol } from './bybit-symbols.ts';
import type { ExchangeAdapter } from './exchange-adapter.ts';
import { type Entry, entriesOf, type FieldMap, normaliseList } from './normalise.ts';

/** Our field names come from this API's vocabulary, so each maps to itself. */
const FIELDS: FieldMap = Object.fromEntries(
  (
    [
      'last_price',
      'bid_price',
      'ask_price',
      'index_price',
      'mark_price',
      'prev_price_1h',
      'prev_price_24h',
      'high_price_24h',
      'low_price_24h',
      'price_1h_pcnt',
      'price_24h_pcnt',
      'volume_24h',
      'turnover_24h',
      'total_volume',
      'total_turnover',
      'open_interest',
      'open_value',
      'funding_rate',
      'predicted_funding_rate',
      'next_funding_time',
      'delivery_time',
      'predicted_delivery_price',
      'delivery_fee_rate',
      'last_tick_direction',
    ] satisfies TickerField[]
  ).map((field) => [field, field]),
);

const outcome = z.object({ ret_code: z.number(), ret_msg: z.string().default('no message') });
const envelope = outcome.extend({
  result: z.array(z.unknown()),
  /** Seconds with a fraction, as text → epoch ms. */
  time_now: z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform((seconds) => Math.floor(Number(seconds) * 1_000))
    .pipe(z.number().int().positive().max(LATEST_MS)),
});

/**
 * Contracts settled in USDT (or USDC) are linear, those quoted in USD are inverse. An entry without a symbol is
 * told as the first category's, so that it is rejected instead of lost.
 */
function categoryOf({ symbol }: Entry, asked: readonly Category[]): Category | undefined {
  if (typeof symbol !== 'string') return asked[0];
  return /(USDT|USDC|PERP)$/.test(symbol) ? 'linear' : 'inverse';
}

/** The article's endpoint: one request answers every contract, numbers are a mix of text and JSON numbers. */
export const bybitV2: ExchangeAdapter = {
  defaultBaseUrl: 'https://api.bybit.com',
  categories: ['linear', 'inverse'],
  pace: { concurrency: 4 },

  failureOf(response, context) {
    const failure = bybitHttpFailure(response, context);
    if (failure) return failure;
    const answer = outcome.safeParse(response.json);
    if (!answer.success) return undefined; // another shape: the client says what is wrong with it
    return bybitApiFailure(answer.data.ret_code, answer.data.ret_msg, response, context);
  },

  async tickers(ask, scope) {
    const { category, categories } = scope;
    const { value, ...answer } = await ask({ path: '/v2/public/tickers' }, envelope);
    const entries = entriesOf(value.result, 'symbol').filter(
      (entry) => categoryOf(entry, categories) === category,
    );
    const receipt = { ...scope, ...answer, timestamp: new Date(value.time_now).toISOString() };
    return normaliseList(entries, FIELDS, (symbol) => splitBybitSymbol(category, symbol), receipt);
  },
};
