import * as z from 'zod';
import type { Category, CurrencyPair } from '../core/market/series.ts';
import { DAY_MS, HOUR_MS } from '../core/market/time.ts';
import type { CandleApi, Exchange, TickerApi } from './exchange.ts';
import { type Ask, ifAvailable } from './http/ask.ts';
import type { ApiFailure } from './http/failures.ts';
import { candleList } from './payload/candles.ts';
import { fieldOf, fieldReaders, percent } from './payload/fields.ts';
import { splitByQuote } from './payload/pair.ts';
import { entriesOf, normaliseList } from './payload/tickers.ts';

/** The paths of one market, and what a request costs. */
interface Api {
  baseUrl: string;
  /** All symbols: weight 80 of 6,000 a minute (spot), 40 of 2,400 (futures). */
  tickers: string;
  /** Base, quote and status of all symbols: weight 20 (spot), 1 (futures). */
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

const INSTRUMENTS_KEPT_MS = 6 * HOUR_MS;

/** For symbols that exchangeInfo does not list. */
// biome-ignore format: a list reads better on few lines
const QUOTES = [
  'FDUSD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'USDP', 'USD1', 'DAI', 'BTC', 'ETH', 'BNB', 'SOL', 'XRP', 'TRX',
  'DOGE', 'EUR', 'GBP', 'AUD', 'TRY', 'BRL', 'ARS', 'COP', 'MXN', 'JPY', 'IDR', 'PLN', 'RON', 'CZK', 'UAH',
  'ZAR', 'NGN', 'RUB', 'USD',
];

/** Suspended for good or settled: such a market still lists the last price it ever had, or none. */
const NOT_TRADED = new Set(['BREAK', 'CLOSE', 'DELIVERED']);

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
const instrument = z.object({
  symbol: z.string(),
  baseAsset: z.string(),
  quoteAsset: z.string(),
  status: z.string().optional(),
});
type Instruments = ReadonlyMap<string, z.infer<typeof instrument>>;
const instrumentList = z.object({ symbols: z.array(instrument.or(z.unknown().transform(() => undefined))) });

const tickers: TickerApi = {
  name: 'binance',
  categories: ['spot', 'linear'],
  async tickers(ask, scope) {
    const api = apiOf(scope.category);
    const [{ value, ...answer }, instruments, premiums] = await Promise.all([
      ask({ baseUrl: api.baseUrl, path: api.tickers }, list),
      instrumentsOf(ask, api),
      premiumsOf(ask, api),
    ]);
    const entries = entriesOf(value, 'symbol')
      .filter(({ symbol }) => !NOT_TRADED.has(instruments.get(symbol as string)?.status ?? ''))
      .map((entry) => ({ ...entry, values: join(premiums.get(entry.symbol), entry.values) }));
    return normaliseList(entries, FIELDS, (symbol) => pairOf(symbol, instruments), { ...scope, ...answer });
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
  pairOf: async ({ category, symbol }, ask) => pairOf(symbol, await instrumentsOf(ask, apiOf(category))),
};

function apiOf(category: Category): Api {
  const api = APIS[category];
  if (!api) throw new Error(`Binance's ${category} markets are not supported`);
  return api;
}

/** By symbol; empty if the list is unavailable. */
async function instrumentsOf(ask: Ask, { baseUrl, instruments }: Api): Promise<Instruments> {
  const request = { baseUrl, path: instruments, keepMs: INSTRUMENTS_KEPT_MS, optional: true };
  const answer = await ifAvailable(ask(request, instrumentList));
  return new Map(answer?.value.symbols.flatMap((each) => (each ? [[each.symbol, each] as const] : [])));
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

function pairOf(symbol: string, instruments?: Instruments): CurrencyPair {
  const known = instruments?.get(symbol);
  if (known) return { base: known.baseAsset, quote: known.quoteAsset };
  // `BTCUSDT_260327` is a dated future.
  return splitByQuote(symbol.replace(/_\d{6}$/, ''), QUOTES);
}

/** https://developers.binance.com/docs/binance-spot-api-docs/errors */
function apiFailure(json: unknown): ApiFailure | undefined {
  const { data } = z.object({ code: z.number(), msg: z.string() }).safeParse(json);
  if (!data) return undefined;
  const failure = { code: `code ${data.code}`, message: data.msg };
  if (data.code === -1003) return { kind: 'rateLimited', ...failure };
  // Disconnected, timeout, overloaded. The HTTP status says enough about any other code.
  return [-1000, -1001, -1007, -1008].includes(data.code) ? { kind: 'unavailable', ...failure } : undefined;
}

/** Binance spot and USD-M futures, each on its own host. */
export const binance: Exchange = {
  name: 'binance',
  baseUrl: 'https://api.binance.com',
  pace: { concurrency: 4 },
  limits: {
    // Calling on after a 429 leads to a ban, 418, of 2 minutes to 3 days.
    isLimit: (status) => status === 418,
    waitMs: (status) => (status === 418 ? 120_000 : 60_000),
    resetMs: (_, text) => [Number(/banned until (\d{13})/.exec(text)?.[1])],
    longestMs: 3 * DAY_MS,
  },
  apiFailure,
  tickerApis: [tickers],
  candles,
  pairOf: (symbol) => pairOf(symbol),
};
