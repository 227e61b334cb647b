import * as z from 'zod';
import type { Category } from '../../core/market/series.ts';
import type { TickerField } from '../../core/market/ticker-fields.ts';
import { LATEST_MS } from '../../core/market/time.ts';
import type { TickerApi } from '../exchange.ts';
import { fieldReaders } from '../payload/fields.ts';
import { type Entry, entriesOf, normaliseList } from '../payload/tickers.ts';
import { bybitInstruments, bybitMarkets } from './instruments.ts';

/** Our field names come from this API, so each maps to itself. */
// biome-ignore format: a list reads better on few lines
const SAME_NAMES = [
  'last_price', 'bid_price', 'ask_price', 'index_price', 'mark_price', 'prev_price_1h', 'prev_price_24h',
  'high_price_24h', 'low_price_24h', 'price_1h_pcnt', 'price_24h_pcnt', 'volume_24h', 'turnover_24h',
  'total_volume', 'total_turnover', 'open_interest', 'open_value', 'funding_rate', 'predicted_funding_rate',
  'next_funding_time', 'delivery_time', 'predicted_delivery_price', 'delivery_fee_rate', 'last_tick_direction',
] satisfies TickerField[];
const FIELDS = fieldReaders(Object.fromEntries(SAME_NAMES.map((field) => [field, field])));

const envelope = z.object({
  result: z.array(z.unknown()),
  /** Text with seconds and a fraction → epoch ms. */
  time_now: z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform((seconds) => Math.floor(Number(seconds) * 1_000))
    .pipe(z.number().int().positive().max(LATEST_MS)),
});

/**
 * Contracts settled in USDT or USDC are linear, those quoted in USD are inverse. An entry without a symbol goes to the
 * first category requested, which rejects it.
 */
function categoryOf({ symbol }: Entry, requested: readonly Category[]): Category | undefined {
  if (typeof symbol !== 'string') return requested[0];
  return /(USDT|USDC|PERP)$/.test(symbol) ? 'linear' : 'inverse';
}

/** One request answers every contract; numbers are a mix of text and JSON numbers. No longer documented. */
export const bybitV2: TickerApi = {
  name: 'bybit-v2',
  categories: ['linear', 'inverse'],
  async tickers(ask, scope) {
    const { category, categories } = scope;
    const { value, ...answer } = await ask({ path: '/v2/public/tickers' }, envelope);
    const instruments = await bybitInstruments(ask, category);
    const entries = entriesOf(value.result, 'symbol').filter(
      (entry) => categoryOf(entry, categories) === category,
    );
    const receipt = { ...scope, ...answer, timestamp: new Date(value.time_now).toISOString() };
    return normaliseList(entries, FIELDS, bybitMarkets(instruments, category), receipt);
  },
};
