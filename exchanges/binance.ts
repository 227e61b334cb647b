import * as z from 'zod';
import { type SourceError, SourceUnavailableError } from '../core/ingest/source-errors.ts';
import type { Category } from '../core/market/series.ts';
import {
  type Ask,
  type ExchangeAdapter,
  type ExchangeResponse,
  ifAvailable,
  type ResponseContext,
} from './exchange-adapter.ts';
import { httpFailure, type RateLimitRules, rateLimited } from './http-failures.ts';
import { entriesOf, type FieldMap, fieldOf, normaliseList, type Pair, percent } from './normalise.ts';
import { splitPair } from './pair-symbols.ts';

/**
 * https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints and
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api: the change is a
 * percentage, `openPrice` the price 24 hours ago. Futures have no bid and ask here.
 */
const FIELDS: FieldMap = {
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
};

interface Api {
  baseUrl: string;
  /** Every symbol of it: weight 80 of 6,000 a minute (spot), 40 of 2,400 (futures). */
  tickers: string;
  /** Base, quote and status of every symbol: weight 20 (spot), 1 (futures). */
  instruments: string;
  /** Mark price and funding of every symbol: weight 10. */
  premiums?: string;
}

const APIS: Partial<Record<Category, Api>> = {
  spot: {
    baseUrl: 'https://api.binance.com',
    tickers: '/api/v3/ticker/24hr',
    instruments: '/api/v3/exchangeInfo?showPermissionSets=false',
  },
  linear: {
    baseUrl: 'https://fapi.binance.com',
    tickers: '/fapi/v1/ticker/24hr',
    instruments: '/fapi/v1/exchangeInfo',
    premiums: '/fapi/v1/premiumIndex',
  },
};

const INSTRUMENTS_KEPT_MS = 6 * 60 * 60_000;

/** For symbols that the instrument list does not tell. */
// biome-ignore format: a list reads better as one
const QUOTES = [
  'FDUSD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'USDP', 'USD1', 'DAI', 'BTC', 'ETH', 'BNB', 'SOL', 'XRP', 'TRX',
  'DOGE', 'EUR', 'GBP', 'AUD', 'TRY', 'BRL', 'ARS', 'COP', 'MXN', 'JPY', 'IDR', 'PLN', 'RON', 'CZK', 'UAH',
  'ZAR', 'NGN', 'RUB', 'USD',
];

/** Suspended for good or settled: what it lists of them is the last price they ever had, or none. */
const NOT_TRADED = new Set(['BREAK', 'CLOSE', 'DELIVERED']);

const list = z.array(z.unknown());
const instrument = z.object({
  symbol: z.string(),
  baseAsset: z.string(),
  quoteAsset: z.string(),
  status: z.string().optional(),
});
type Instrument = z.infer<typeof instrument>;
const instrumentList = z.object({ symbols: z.array(instrument.or(z.unknown().transform(() => undefined))) });
const failure = z.object({ code: z.number(), msg: z.string() });

/** 429 is followed by a ban, 418, if it is not heeded; bans grow from 2 minutes to 3 days. */
const LIMITS: RateLimitRules = {
  isLimit: (status) => status === 418,
  waitMs: (status) => (status === 418 ? 120_000 : 60_000),
  toldMs: (response) => [Number(/banned until (\d{13})/.exec(messageOf(response))?.[1])],
  longestMs: 3 * 24 * 60 * 60_000,
};

function messageOf({ json }: ExchangeResponse): string {
  const text = fieldOf(json, 'msg');
  return typeof text === 'string' ? text : '';
}

/** Binance spot and USD-M futures, on hosts of their own. */
export const binance: ExchangeAdapter = {
  defaultBaseUrl: 'https://api.binance.com',
  categories: ['spot', 'linear'],
  pace: { concurrency: 4 },
  failureOf,

  async tickers(ask, scope) {
    const api = apiOf(scope.category);
    const { baseUrl } = api;
    const [{ value, ...answer }, instruments, premiums] = await Promise.all([
      ask({ baseUrl, path: api.tickers }, list),
      instrumentsOf(ask, api),
      premiumsOf(ask, api),
    ]);
    const entries = entriesOf(value, 'symbol')
      .filter(({ symbol }) => !NOT_TRADED.has(instruments.get(symbol as string)?.status ?? ''))
      .map((entry) => ({ ...entry, values: join(premiums.get(entry.symbol), entry.values) }));
    return normaliseList(entries, FIELDS, (symbol) => pairOf(symbol, instruments), { ...scope, ...answer });
  },
};

/** Where its API is. @throws Error for a category that Binance does not have here */
export function binanceHost(category: Category): string {
  return apiOf(category).baseUrl;
}

/** Base and quote of one symbol: as the list of instruments has them, else as its spelling tells. */
export async function binancePair(ask: Ask, category: Category, symbol: string): Promise<Pair> {
  return pairOf(symbol, await instrumentsOf(ask, apiOf(category)));
}

function apiOf(category: Category): Api {
  const api = APIS[category];
  if (!api) throw new Error(`Binance has no ${category} here`);
  return api;
}

/** By symbol; none where the list cannot be had. */
async function instrumentsOf(ask: Ask, { baseUrl, instruments }: Api): Promise<Map<string, Instrument>> {
  const request = { baseUrl, path: instruments, keepMs: INSTRUMENTS_KEPT_MS, optional: true };
  const answer = await ifAvailable(ask(request, instrumentList));
  return new Map(answer?.value.symbols.flatMap((each) => (each ? [[each.symbol, each] as const] : [])));
}

function pairOf(symbol: string, instruments: ReadonlyMap<string, Instrument>): Pair {
  const known = instruments.get(symbol);
  if (known) return { base: known.baseAsset, quote: known.quoteAsset };
  return binanceSpelling(symbol);
}

/** Base and quote as far as the symbol tells them. */
export function binanceSpelling(symbol: string): Pair {
  // `BTCUSDT_260327` is a dated future.
  return splitPair(symbol.replace(/_\d{6}$/, ''), QUOTES) ?? {};
}

/** Mark price and funding by symbol; none where they cannot be had. */
async function premiumsOf(ask: Ask, { baseUrl, premiums }: Api): Promise<Map<unknown, unknown>> {
  if (premiums === undefined) return new Map();
  const answer = await ifAvailable(ask({ baseUrl, path: premiums, optional: true }, list));
  return new Map(answer?.value.map((each) => [fieldOf(each, 'symbol'), each]));
}

/** Whatever is no object stays what it is, to be rejected. */
function join(premium: unknown, ticker: unknown): unknown {
  const both = [premium, ticker].every((each) => typeof each === 'object' && each !== null);
  return both ? { ...(premium as object), ...(ticker as object) } : ticker;
}

function failureOf(response: ExchangeResponse, context: ResponseContext): SourceError | undefined {
  const { url } = context;
  const answer = failure.safeParse(response.json);
  if (answer.success) {
    const { code, msg } = answer.data;
    if (code === -1003) return rateLimited(`code ${code}`, msg, response, context, LIMITS);
    // Disconnected, timeout, overloaded: passing faults of theirs.
    if ([-1000, -1001, -1007, -1008].includes(code)) {
      return new SourceUnavailableError(`${url} answered code ${code}: ${msg}`, { url });
    }
  }
  return httpFailure(response, context, LIMITS);
}
