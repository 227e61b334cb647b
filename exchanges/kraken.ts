import * as z from 'zod';
import { isKnownCurrency, QUOTES } from '../core/market/currencies.ts';
import type { CurrencyPair } from '../core/market/series.ts';
import type { CandleApi, Exchange, ExchangeCandle, TickerApi } from './exchange.ts';
import { type Ask, instrumentsOf } from './http/ask.ts';
import type { ApiFailure } from './http/failures.ts';
import { candleList } from './payload/candles.ts';
import { fieldOf, fieldReaders } from './payload/fields.ts';
import {
  type Instrument,
  type InstrumentStates,
  instrumentList,
  listedMarkets,
  type Markets,
  textOf,
} from './payload/instruments.ts';
import { splitByQuote, withCommonNames } from './payload/pair.ts';
import { type Entry, normaliseList } from './payload/tickers.ts';

/** Kraken's own names of currencies, in symbols older than its common ones. */
const OWN_QUOTES = ['ZUSD', 'ZEUR', 'ZGBP', 'ZCAD', 'ZJPY', 'ZAUD', 'XXBT', 'XETH'];

/** https://docs.kraken.com/api/docs/rest-api/get-tradable-asset-pairs */
const STATES: InstrumentStates = {
  trading: ['online', 'limit_only', 'reduce_only'],
  notOpen: ['post_only'],
  ended: ['cancel_only', 'delisted', 'maintenance', 'work_in_progress'],
};

/** The names that {@link valuesOf} gives. */
const FIELDS = fieldReaders({
  'c[0]': 'last_price',
  'b[0]': 'bid_price',
  'b[2]': 'bid_size',
  'a[0]': 'ask_price',
  'a[2]': 'ask_size',
  'h[1]': 'high_price_24h',
  'l[1]': 'low_price_24h',
  'v[1]': 'volume_24h',
});

/**
 * https://docs.kraken.com/api/docs/rest-api/get-ticker-information: arrays under one-letter names. `a` and `b` are
 * [price, whole lots, lots], `c` is [price, lots]; `h`, `l` and `v` are [today, last 24 hours]. `o` is today's opening
 * price, so there is no 24-hour change. There is no time either.
 */
function valuesOf(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  const values = FIELDS.map(({ theirs }): [string, unknown] => {
    const [letter = '', index] = theirs.split(/[[\]]/);
    return [theirs, fieldOf(fieldOf(raw, letter), Number(index))];
  });
  return Object.fromEntries(values);
}

const tickerList = z.object({ result: z.record(z.string(), z.unknown()) });
const assetPairs = z
  .object({ result: z.preprocess((pairs) => Object.entries(pairs ?? {}), instrumentList(readPair)) })
  .transform(({ result }) => result);

/** `wsname` has the common names: `XBT/USD`. */
function readPair(entry: unknown): Partial<Instrument> {
  const [symbol, pair] = entry as [string, unknown];
  if (typeof pair !== 'object' || pair === null) return {};
  const [base, quote] = textOf(fieldOf(pair, 'wsname'))?.split('/') ?? [
    commonName(textOf(fieldOf(pair, 'base'))),
    commonName(textOf(fieldOf(pair, 'quote'))),
  ];
  return { symbol, ...withCommonNames({ base, quote }), state: textOf(fieldOf(pair, 'status')) };
}

/** `XXBT` → `XBT`, `ZUSD` → `USD`, but not `ZETA` → `ETA`. */
function commonName(own: string | undefined): string | undefined {
  const short = /^[XZ]([A-Z]{3})$/.exec(own ?? '')?.[1];
  return short !== undefined && isKnownCurrency(short) ? short : own;
}

const tickers: TickerApi = {
  name: 'kraken',
  categories: ['spot'],
  async tickers(ask, scope) {
    const [{ value, ...answer }, markets] = await Promise.all([
      ask({ path: '/0/public/Ticker' }, tickerList),
      marketsOf(ask),
    ]);
    const entries = Object.entries(value.result).map(
      ([symbol, raw]): Entry => ({ symbol, values: valuesOf(raw), raw: { [symbol]: raw } }),
    );
    return normaliseList(entries, FIELDS, markets, { ...scope, ...answer });
  },
};

const rows = candleList('s', ['open', 'high', 'low', 'close', 'vwap', 'volume']);

/**
 * https://docs.kraken.com/api-reference/market-data/get-ohlc-data: [start in s, open, high, low, close, vwap, volume,
 * count], oldest first; the last hour is still running. "Older data cannot be retrieved, regardless of since."
 */
const candles: CandleApi = {
  format: 'kraken',
  categories: ['spot'],
  keptCandles: 720,
  // Every request returns the same candles, so one is enough.
  pageHours: 1_000_000,
  request({ symbol, fromMs }) {
    // `since` is exclusive.
    const since = String(Math.max(0, fromMs / 1_000 - 1));
    return { path: `/0/public/OHLC?${new URLSearchParams({ pair: symbol, interval: '60', since })}` };
  },
  shapeOf,
  pairOf: async ({ symbol }, ask) => (await marketsOf(ask)).pairOf(symbol),
};

/** Kraken answers under the name that its tickers use, even if the request used another name. */
function shapeOf(symbol: string): z.ZodType<ExchangeCandle[]> {
  return tickerList
    .transform(({ result }, context) => {
      if (Object.hasOwn(result, symbol)) return result[symbol];
      const names = Object.keys(result).filter((name) => name !== 'last');
      context.addIssue(`Kraken's tickers call ${symbol} ${names.join(', ')}; use that name`);
      return z.NEVER;
    })
    .pipe(rows);
}

/** https://docs.kraken.com/api/docs/guides/spot-errors; those starting with W are warnings. */
function apiFailure(json: unknown): ApiFailure | undefined {
  const { data } = z.object({ error: z.union([z.array(z.string()), z.string()]) }).safeParse(json);
  const code = [data?.error ?? []]
    .flat()
    .filter((error) => !error.startsWith('W'))
    .join(', ');
  if (!code) return undefined;
  if (/^E\w+:(Rate limit|Too many requests|Throttled|Temporary lockout)/.test(code)) {
    return { kind: 'rateLimited', code };
  }
  const isTransient =
    /^E(Service|Database):|^E\w+:(Internal error|Temporarily|Unavailable|Unknown error$)/.test(code);
  return { kind: isTransient ? 'unavailable' : 'refused', code };
}

async function marketsOf(ask: Ask): Promise<Markets> {
  return listedMarkets(
    await instrumentsOf(ask, { path: '/0/public/AssetPairs' }, assetPairs),
    STATES,
    pairOf,
  );
}

/** `XXBTZUSD`, `USDTZUSD`, `ADAUSD`. */
function pairOf(symbol: string, quotes: readonly string[] = QUOTES): CurrencyPair {
  const [, base, quote] = /^([XZ][A-Z]{3})([XZ][A-Z]{3})$/.exec(symbol) ?? [];
  const split = base && quote ? { base, quote } : splitByQuote(symbol, [...quotes, 'XBT', ...OWN_QUOTES]);
  return withCommonNames({ base: commonName(split.base), quote: commonName(split.quote) });
}

/** Kraken's spot market. */
export const kraken: Exchange = {
  name: 'kraken',
  baseUrl: 'https://api.kraken.com',
  pace: { concurrency: 2 },
  limits: {
    // An IP address may send about one public request a second.
    waitMs: () => 5_000,
    // "EService:Throttled: [UNIX timestamp]"
    resetMs: (_, text) => [Number(/Throttled:\D*(\d{10})/.exec(text)?.[1]) * 1_000],
  },
  apiFailure,
  tickerApis: [tickers],
  candles,
  pairOf: (symbol) => pairOf(symbol),
};
