import * as z from 'zod';
import {
  type SourceError,
  SourceRefusedError,
  SourceUnavailableError,
} from '../core/ingest/source-errors.ts';
import type { Category } from '../core/market/series.ts';
import type { ExchangeAdapter, ExchangeResponse, ResponseContext } from './exchange-adapter.ts';
import { httpFailure, type RateLimitRules, rateLimited } from './http-failures.ts';
import { type Entry, entriesOf, type FieldMap, normaliseList, type Pair } from './normalise.ts';

/**
 * https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-tickers: no percentage, but the price 24 hours
 * ago. Sizes are in the unit of orders: contracts for swaps.
 */
const COMMON: FieldMap = {
  last: 'last_price',
  bidPx: 'bid_price',
  bidSz: 'bid_size',
  askPx: 'ask_price',
  askSz: 'ask_size',
  open24h: 'prev_price_24h',
  high24h: 'high_price_24h',
  low24h: 'low_price_24h',
  ts: 'timestamp',
};

/**
 * `vol24h` counts base currency for spot, contracts for swaps; `volCcy24h` counts quote currency for spot, base
 * currency for swaps. As everywhere here, linear volume is in base currency, inverse volume in contracts with the
 * turnover in base currency.
 */
const FIELDS: Partial<Record<Category, FieldMap>> = {
  spot: { ...COMMON, vol24h: 'volume_24h', volCcy24h: 'turnover_24h' },
  linear: { ...COMMON, volCcy24h: 'volume_24h' },
  inverse: { ...COMMON, vol24h: 'volume_24h', volCcy24h: 'turnover_24h' },
};

const outcome = z.object({ code: z.string(), msg: z.string().default('no message') });
const envelope = outcome.extend({ data: z.array(z.unknown()) });

/** 20 requests in 2 s. */
const LIMITS: RateLimitRules = { waitMs: () => 2_000 };

/** Service unavailable, time-out, maintenance, busy, system error: passing faults of theirs. */
const PASSING = new Set(['50001', '50004', '50013', '50026']);

/**
 * Coin-margined swaps (`BTC-USD-SWAP`) are inverse, all others linear. An entry without a symbol is told as the
 * first category's, so that it is rejected instead of lost.
 */
function categoryOf({ symbol }: Entry, asked: readonly Category[]): Category | undefined {
  if (typeof symbol !== 'string') return asked.find((category) => category !== 'spot');
  return /-USD-SWAP$/.test(symbol) ? 'inverse' : 'linear';
}

/** Base and quote of `BTC-USDT`, `BTC-USDT-SWAP`, `BTC-USD_UM-SWAP`. */
export function okxPair(symbol: string): Pair {
  const [base, quote] = symbol.split('-');
  return base && quote ? { base, quote: quote.replace(/_UM$/, '') } : {};
}

/** OKX spot and perpetual swaps; one request answers linear and inverse ones. */
export const okx: ExchangeAdapter = {
  defaultBaseUrl: 'https://www.okx.com',
  categories: ['spot', 'linear', 'inverse'],
  pace: { concurrency: 4 },
  failureOf,

  async tickers(ask, scope) {
    const { category, categories } = scope;
    const instType = category === 'spot' ? 'SPOT' : 'SWAP';
    const { value, ...answer } = await ask({ path: `/api/v5/market/tickers?instType=${instType}` }, envelope);
    const entries = entriesOf(value.data, 'instId').filter(
      (entry) => category === 'spot' || categoryOf(entry, categories) === category,
    );
    return normaliseList(entries, FIELDS[category] ?? COMMON, okxPair, { ...scope, ...answer });
  },
};

function failureOf(response: ExchangeResponse, context: ResponseContext): SourceError | undefined {
  const { url } = context;
  const answer = outcome.safeParse(response.json);
  if (!answer.success) return httpFailure(response, context, LIMITS);
  const { code, msg } = answer.data;
  if (code === '50011') return rateLimited(`code ${code}`, msg, response, context, LIMITS);
  const byStatus = httpFailure(response, context, LIMITS);
  if (byStatus) return byStatus;
  if (code === '0') return undefined;
  if (PASSING.has(code)) return new SourceUnavailableError(`${url} answered code ${code}: ${msg}`, { url });
  return new SourceRefusedError(`${url} answered code ${code}: ${msg}`, { url });
}
