import * as z from 'zod';
import type { TickerBatch } from '../core/ingest/ports.ts';
import { SourceError, SourceRefusedError, WrongPayloadError } from '../core/ingest/source-errors.ts';
import { HOUR_MS } from '../core/market/time.ts';
import type { CandleApi, Exchange, PollScope, TickerApi } from './exchange.ts';
import { type Answer, type Ask, ifAvailable, instrumentsOf, settled } from './http/ask.ts';
import { candleList } from './payload/candles.ts';
import { fieldOf, fieldReaders } from './payload/fields.ts';
import {
  type InstrumentStates,
  instrumentFields,
  instrumentList,
  listedMarkets,
  type Markets,
} from './payload/instruments.ts';
import { splitByDash } from './payload/pair.ts';
import { type Entry, normaliseList, reject } from './payload/tickers.ts';

/** Up to this many products are fetched one by one: two requests each, with bid, ask and time. */
const FEW_PRODUCTS = 20;
const PRODUCTS_KEPT_MS = HOUR_MS;

/**
 * https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products: a product's ticker has price, bid, ask
 * and the time of the last trade; its stats have the prices of the last 24 hours. Volumes are in base currency.
 */
const FIELDS = fieldReaders({
  last: 'last_price',
  bid: 'bid_price',
  ask: 'ask_price',
  open: 'prev_price_24h',
  high: 'high_price_24h',
  low: 'low_price_24h',
  volume: 'volume_24h',
  time: 'timestamp',
});

const readProduct = instrumentFields({
  symbol: 'id',
  base: 'base_currency',
  quote: 'quote_currency',
  state: 'status',
});
const productList = instrumentList((raw) => {
  const product = readProduct(raw);
  const flag = ['trading_disabled', 'cancel_only', 'post_only'].find((each) => fieldOf(raw, each) === true);
  return flag && product.state === 'online' ? { ...product, state: flag } : product;
});
const STATES: InstrumentStates = {
  trading: ['online'],
  notOpen: ['post_only'],
  ended: ['offline', 'internal', 'delisted', 'trading_disabled', 'cancel_only'],
};
const record = z.record(z.string(), z.unknown());
const statsOfAll = record.refine(
  (all) => Object.values(all).some((each) => fieldOf(each, 'stats_24hour') !== undefined),
  { error: 'expected stats_24hour of products' },
);

/**
 * The documented API answers one product a request, at 10 requests a second: enough for a few products. For more,
 * `/products/stats`, which Coinbase's own web page uses, answers everything at once but without bid, ask and time. If
 * it is not offered, each product is fetched after all.
 */
const tickers: TickerApi = {
  name: 'coinbase',
  categories: ['spot'],
  async tickers(ask, scope) {
    const products = await ask({ path: '/products', keepMs: PRODUCTS_KEPT_MS }, productList);
    const markets = listedMarkets(products.value, STATES, splitByDash);
    const wanted = products.value.filter(scope.wants).map(({ symbol }) => symbol);
    const live = wanted.filter((symbol) => markets.absence?.(symbol) === undefined);
    const each = () => oneByOne(ask, scope, { wanted, live, markets }, products);
    if (live.length <= FEW_PRODUCTS) return each();
    const stats = ask({ path: '/products/stats' }, statsOfAll);
    const all = await ifAvailable(stats, SourceRefusedError, WrongPayloadError);
    if (!all) return each();
    const entries = Object.entries(all.value).map(
      ([symbol, raw]): Entry => ({ symbol, values: fieldOf(raw, 'stats_24hour'), raw: { [symbol]: raw } }),
    );
    const { url, receivedAt } = all;
    return normaliseList(entries, FIELDS, markets, { ...scope, url, receivedAt });
  },
};

type Part = Answer<Record<string, unknown>> | SourceError;

/** Rejects a product that cannot be fetched; throws if none can. */
async function oneByOne(
  ask: Ask,
  scope: PollScope,
  { wanted, live, markets }: { wanted: readonly string[]; live: readonly string[]; markets: Markets },
  { url, receivedAt }: Pick<Answer<unknown>, 'url' | 'receivedAt'>,
): Promise<TickerBatch> {
  // Those that are not live are only counted.
  const entries = wanted
    .filter((each) => !live.includes(each))
    .map((symbol): Entry => ({ symbol, values: {}, raw: {} }));
  const failures: { symbol: string; error: SourceError }[] = [];
  await Promise.all(
    live.map(async (symbol) => {
      const path = `/products/${encodeURIComponent(symbol)}`;
      const [ticker, stats] = await Promise.all([
        settled(ask({ path: `${path}/ticker` }, record)),
        settled(ask({ path: `${path}/stats` }, record)),
      ]);
      if (ticker instanceof SourceError && stats instanceof SourceError) {
        failures.push({ symbol, error: stats.retryable ? stats : ticker });
      } else {
        entries.push(entryOf(symbol, ticker, stats));
      }
    }),
  );
  const [first] = failures;
  if (first && failures.length === live.length) throw first.error;
  const batch = normaliseList(entries, FIELDS, markets, { ...scope, url, receivedAt });
  for (const { symbol, error } of failures) {
    batch.rejected.push(reject({ id: symbol }, error.message, { ...scope, url: error.url, receivedAt }));
  }
  return batch;
}

/** The ticker, which is more recent, takes precedence over the stats. */
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

const rows = candleList('s', ['low', 'high', 'open', 'close', 'volume']);

/**
 * https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-candles: [start in s, low,
 * high, open, close, volume] as JSON numbers, newest first, some of them before the range. Hours without a trade are
 * left out.
 */
const candles: CandleApi = {
  format: 'coinbase',
  categories: ['spot'],
  pageHours: 300,
  request({ symbol, fromMs, toMs }) {
    const query = new URLSearchParams({
      granularity: '3600',
      // Both are inclusive.
      start: new Date(fromMs).toISOString(),
      end: new Date(toMs - HOUR_MS).toISOString(),
    });
    return { path: `/products/${encodeURIComponent(symbol)}/candles?${query}` };
  },
  shapeOf: () => rows,
  async pairOf({ symbol }, ask) {
    const products = await instrumentsOf(ask, { path: '/products' }, productList);
    return listedMarkets(products, STATES, splitByDash).pairOf(symbol);
  },
};

/** Coinbase Exchange. */
export const coinbase: Exchange = {
  name: 'coinbase',
  baseUrl: 'https://api.exchange.coinbase.com',
  // Coinbase allows 10 requests a second, and bursts of 15.
  pace: { concurrency: 5, perSecond: { requests: 8, burst: 5 } },
  limits: { waitMs: () => 1_000 },
  tickerApis: [tickers],
  candles,
  pairOf: splitByDash,
};
