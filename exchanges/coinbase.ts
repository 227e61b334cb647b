import * as z from 'zod';
import type { TickerBatch } from '../core/ingest/ports.ts';
import { SourceError } from '../core/ingest/source-errors.ts';
import {
  type Answer,
  type Ask,
  type ExchangeAdapter,
  ifOffered,
  type PollScope,
} from './exchange-adapter.ts';
import { httpFailure, type RateLimitRules } from './http-failures.ts';
import { type Entry, type FieldMap, fieldOf, normaliseList, type Pair, reject } from './normalise.ts';

/**
 * https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products: a product's ticker has price, bid, ask
 * and the time of the last trade, its stats the prices of the last 24 hours. Volumes are in base currency.
 */
const FIELDS: FieldMap = {
  last: 'last_price',
  bid: 'bid_price',
  ask: 'ask_price',
  open: 'prev_price_24h',
  high: 'high_price_24h',
  low: 'low_price_24h',
  volume: 'volume_24h',
  time: 'timestamp',
};

/** Up to so many products are asked for one by one (two requests each, with bid, ask and time). */
const FEW_PRODUCTS = 20;
const PRODUCTS_KEPT_MS = 60 * 60_000;

const product = z.object({ id: z.string(), quote_currency: z.string(), status: z.string().optional() });
const productList = z.array(product.or(z.unknown().transform(() => undefined)));
const statsOfAll = z
  .record(z.string(), z.unknown())
  .refine((all) => Object.values(all).some((each) => fieldOf(each, 'stats_24hour') !== undefined), {
    error: 'expected stats_24hour of products',
  });
const anything = z.record(z.string(), z.unknown());

const LIMITS: RateLimitRules = { waitMs: () => 1_000 };

/**
 * Coinbase Exchange. Its documented API knows one product a request, at 10 requests a second: enough for a few
 * products. For more there is `/products/stats`, which its own web page uses: everything in one request, but no
 * bid, ask and time. Where that is not offered each product is asked for after all.
 */
export const coinbase: ExchangeAdapter = {
  defaultBaseUrl: 'https://api.exchange.coinbase.com',
  categories: ['spot'],
  // 10 a second, 15 at once.
  pace: { concurrency: 5, perSecond: { requests: 8, burst: 5 } },
  failureOf: (response, context) => httpFailure(response, context, LIMITS),

  async tickers(ask, scope) {
    const products = await ask({ path: '/products', keepMs: PRODUCTS_KEPT_MS }, productList);
    const wanted = products.value.flatMap((each) =>
      each && each.status !== 'delisted' && scope.wants({ symbol: each.id, quote: each.quote_currency })
        ? [each.id]
        : [],
    );
    if (wanted.length <= FEW_PRODUCTS) return oneByOne(ask, scope, wanted, products);
    const all = await ifOffered(ask({ path: '/products/stats' }, statsOfAll));
    if (!all) return oneByOne(ask, scope, wanted, products);
    const entries = Object.entries(all.value).map(
      ([symbol, raw]): Entry => ({ symbol, values: fieldOf(raw, 'stats_24hour'), raw: { [symbol]: raw } }),
    );
    const { url, receivedAt } = all;
    return normaliseList(entries, FIELDS, coinbasePair, { ...scope, url, receivedAt });
  },
};

/** Base and quote of `BTC-USD`. */
export function coinbasePair(symbol: string): Pair {
  const [base, quote] = symbol.split('-');
  return base && quote ? { base, quote } : {};
}

type Part = Answer<Record<string, unknown>> | SourceError;

/** A product that cannot be had is rejected with the reason; where none can be had the category fails. */
async function oneByOne(
  ask: Ask,
  scope: PollScope,
  symbols: readonly string[],
  products: Pick<Answer<unknown>, 'url' | 'receivedAt'>,
): Promise<TickerBatch> {
  const { url, receivedAt } = products;
  const entries: Entry[] = [];
  const failures: { symbol: string; error: SourceError }[] = [];
  await Promise.all(
    symbols.map(async (symbol) => {
      const path = `/products/${encodeURIComponent(symbol)}`;
      const [ticker, stats] = await Promise.all([
        settled(ask({ path: `${path}/ticker` }, anything)),
        settled(ask({ path: `${path}/stats` }, anything)),
      ]);
      if (ticker instanceof SourceError && stats instanceof SourceError) {
        // What may pass says more than a plain no.
        failures.push({ symbol, error: stats.retryable ? stats : ticker });
      } else {
        entries.push(entryOf(symbol, ticker, stats));
      }
    }),
  );
  const [first] = failures;
  if (first && failures.length === symbols.length) throw first.error;
  const batch = normaliseList(entries, FIELDS, coinbasePair, { ...scope, url, receivedAt });
  for (const { symbol, error } of failures) {
    batch.rejected.push(reject({ id: symbol }, error.message, { ...scope, url: error.url, receivedAt }));
  }
  return batch;
}

async function settled(answer: Promise<Answer<Record<string, unknown>>>): Promise<Part> {
  return answer.catch((error) => {
    if (error instanceof SourceError) return error;
    throw error;
  });
}

/** What is in both comes from the ticker, the younger one. */
function entryOf(symbol: string, ticker: Part, stats: Part): Entry {
  const [now, day] = [ticker, stats].map((part) => (part instanceof SourceError ? undefined : part));
  const { url = '', receivedAt = '' } = now ?? day ?? {};
  const last = fieldOf(now?.value, 'price') ?? fieldOf(day?.value, 'last');
  return {
    symbol,
    values: { ...day?.value, ...now?.value, last },
    raw: { id: symbol, ticker: now?.value, stats: day?.value },
    from: { url, receivedAt },
  };
}
