import * as z from 'zod';
import type { Category } from '../core/market/series.ts';
import { DAY_MS, MINUTE_MS } from '../core/market/time.ts';
import type { CandleApi, Exchange, TickerApi } from './exchange.ts';
import { type Ask, ifAvailable, instrumentsOf } from './http/ask.ts';
import { type ApiFailure, errorCode } from './http/failures.ts';
import { candleList } from './payload/candles.ts';
import { fieldOf, fieldReaders, percent } from './payload/fields.ts';
import {
  type InstrumentStates,
  instrumentFields,
  instrumentList,
  listedMarkets,
  type Markets,
} from './payload/instruments.ts';
import { splitByQuote } from './payload/pair.ts';
import { entriesOf, normaliseList } from './payload/tickers.ts';

/** The paths of one market, and what a request costs. */
interface Api {
  baseUrl: string;
  /** All symbols: weight 80 of 6,000 a minute (spot), 40 of 2,400 (futures). */
  tickers: string;
  /** Base, quote and state of all symbols: weight 20 (spot), 1 (futures). */
  instruments: string;
  /** Mark price and funding of all symbols: weight 10. */
  premiums?: string;
  candles: string;
}

const APIS: Partial<Record<Category, Api>> = {
  spot: {
    baseUrl: 'https://api.binance.com',
    tickers: '/api/v3/ticker/24hr',
    instruments: '/api/v3/exchangeInfo?showPermissionSets=false',
    candles: '/api/v3/klines',
  },
  linear: {
    baseUrl: 'https://fapi.binance.com',
    tickers: '/fapi/v1/ticker/24hr',
    instruments: '/fapi/v1/exchangeInfo',
    premiums: '/fapi/v1/premiumIndex',
    candles: '/fapi/v1/klines',
  },
};

/** https://developers.binance.com/docs/binance-spot-api-docs/enums and …/usds-margined-futures/common-definition. */
const STATES: InstrumentStates = {
  trading: ['TRADING'],
  notOpen: ['PENDING_TRADING', 'PRE_TRADING'],
  ended: [
    ...['BREAK', 'HALT', 'END_OF_DAY', 'POST_TRADING', 'AUCTION_MATCH', 'CANCEL_ONLY'],
    ...['PRE_DELIVERING', 'DELIVERING', 'DELIVERED', 'PRE_SETTLE', 'SETTLING', 'CLOSE'],
  ],
};

/**
 * https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints and
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api: the change is a
 * percentage, `openPrice` is the price 24 hours ago. Futures have no bid and ask here.
 */
const FIELDS = fieldReaders({
  lastPrice: 'last_price',
  bidPrice: 'bid_price',
  bidQty: 'bid_size',
  askPrice: 'ask_price',
  askQty: 'ask_size',
  openPrice: 'prev_price_24h',
  highPrice: 'high_price_24h',
  lowPrice: 'low_price_24h',
  priceChangePercent: percent('price_24h_pcnt'),
  volume: 'volume_24h',
  quoteVolume: 'turnover_24h',
  closeTime: 'timestamp',
  // From premiumIndex.
  markPrice: 'mark_price',
  indexPrice: 'index_price',
  lastFundingRate: 'funding_rate',
  nextFundingTime: 'next_funding_time',
});

const list = z.array(z.unknown());
const exchangeInfo = z
  .object({
    symbols: instrumentList(
      instrumentFields({ symbol: 'symbol', base: 'baseAsset', quote: 'quoteAsset', state: 'status' }),
    ),
  })
  .transform(({ symbols }) => symbols);

const tickers: TickerApi = {
  name: 'binance',
  categories: ['spot', 'linear'],
  async tickers(ask, scope) {
    const api = apiOf(scope.category);
    const [{ value, ...answer }, markets, premiums] = await Promise.all([
      ask({ baseUrl: api.baseUrl, path: api.tickers }, list),
      marketsOf(ask, api),
      premiumsOf(ask, api),
    ]);
    const entries = entriesOf(value, 'symbol').map((entry) => ({
      ...entry,
      values: join(premiums.get(entry.symbol), entry.values),
    }));
    return normaliseList(entries, FIELDS, markets, { ...scope, ...answer });
  },
};

/** Spot's limit; futures allow 1,500, but anything above 1,000 costs double. */
const PAGE_HOURS = 1_000;
const klines = candleList('ms', ['open', 'high', 'low', 'close', 'volume', null, 'turnover']);

/**
 * https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints and
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Kline-Candlestick-Data:
 * [open time, open, high, low, close, volume, close time, quote volume, …], oldest first, without the hours of an outage.
 */
const candles: CandleApi = {
  format: 'binance',
  categories: ['spot', 'linear'],
  pageHours: PAGE_HOURS,
  request({ category, symbol, fromMs, toMs }) {
    const query = new URLSearchParams({
      symbol,
      interval: '1h',
      startTime: String(fromMs),
      endTime: String(toMs - 1),
      limit: String(PAGE_HOURS),
    });
    const { baseUrl, candles } = apiOf(category);
    return { baseUrl, path: `${candles}?${query}` };
  },
  shapeOf: () => klines,
  pairOf: async ({ category, symbol }, ask) => (await marketsOf(ask, apiOf(category))).pairOf(symbol),
};

function apiOf(category: Category): Api {
  const api = APIS[category];
  if (!api) throw new Error(`Binance's ${category} markets are not supported`);
  return api;
}

async function marketsOf(ask: Ask, { baseUrl, instruments }: Api): Promise<Markets> {
  const listed = await instrumentsOf(ask, { baseUrl, path: instruments }, exchangeInfo);
  return listedMarkets(listed, STATES, pairOf);
}

/** Mark price and funding by symbol; empty if they are unavailable. */
async function premiumsOf(ask: Ask, { baseUrl, premiums }: Api): Promise<Map<unknown, unknown>> {
  if (premiums === undefined) return new Map();
  const answer = await ifAvailable(ask({ baseUrl, path: premiums, optional: true }, list));
  return new Map(answer?.value.map((each) => [fieldOf(each, 'symbol'), each]));
}

/** Leaves anything but an object as it is, to be rejected. */
function join(premium: unknown, ticker: unknown): unknown {
  const areObjects = [premium, ticker].every((each) => typeof each === 'object' && each !== null);
  return areObjects ? { ...(premium as object), ...(ticker as object) } : ticker;
}

/** `BTCUSDT_260327` is a dated future. */
const pairOf = (symbol: string, quotes?: readonly string[]) =>
  splitByQuote(symbol.replace(/_\d{6}$/, ''), quotes);

/** Disconnected, unexpected response, timeout, overloaded, shutting down. */
const TRANSIENT = new Set([-1000, -1001, -1006, -1007, -1008, -1016]);
const LIMITED = new Set([-1003, -1015, -1034]);

/** https://developers.binance.com/docs/binance-spot-api-docs/errors */
function apiFailure(json: unknown): ApiFailure | undefined {
  const { data } = z.object({ code: errorCode, msg: z.string() }).safeParse(json);
  if (!data) return undefined;
  const failure = { code: `code ${data.code}`, message: data.msg };
  if (LIMITED.has(data.code)) return { kind: 'rateLimited', ...failure };
  // The HTTP status says enough about any other code.
  return TRANSIENT.has(data.code) ? { kind: 'unavailable', ...failure } : undefined;
}

/** By status, if the answer does not say. */
const WAITS_MS: Readonly<Record<number, number>> = { 418: 2 * MINUTE_MS, 403: 5 * MINUTE_MS };

/** Binance spot and USD-M futures, each on its own host. */
export const binance: Exchange = {
  name: 'binance',
  baseUrl: 'https://api.binance.com',
  // Status 451: https://github.com/ccxt/ccxt/issues/15872
  refusedRegions: ['us-'],
  pace: { concurrency: 4 },
  limits: {
    // Calling on after a 429 leads to a ban, 418, of 2 minutes to 3 days. 403 is the limit of the firewall; a region that is
    // not served gets 451.
    isLimit: (status) => status === 418 || status === 403,
    waitMs: (status) => WAITS_MS[status] ?? MINUTE_MS,
    resetMs: (_, text) => [Number(/banned until (\d{13})/.exec(text)?.[1])],
    longestMs: 3 * DAY_MS,
  },
  apiFailure,
  tickerApis: [tickers],
  candles,
  pairOf: (symbol) => pairOf(symbol),
};
