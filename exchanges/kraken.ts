import * as z from 'zod';
import type { CurrencyPair } from '../core/market/series.ts';
import { HOUR_MS } from '../core/market/time.ts';
import type { CandleApi, Exchange, ExchangeCandle, TickerApi } from './exchange.ts';
import { type Ask, ifAvailable } from './http/ask.ts';
import type { ApiFailure } from './http/failures.ts';
import { candleList } from './payload/candles.ts';
import { fieldOf, fieldReaders } from './payload/fields.ts';
import { splitByQuote } from './payload/pair.ts';
import { type Entry, normaliseList } from './payload/tickers.ts';

const ASSET_PAIRS_KEPT_MS = 6 * HOUR_MS;

/** Kraken's own names of assets. */
const COMMON_NAMES: Readonly<Record<string, string>> = { XBT: 'BTC', XDG: 'DOGE' };

/** For pairs that AssetPairs does not list. */
// biome-ignore format: a list reads better on one line
const QUOTES = ['USDT', 'USDC', 'USD', 'EUR', 'GBP', 'CAD', 'AUD', 'CHF', 'JPY', 'XBT', 'ETH', 'DAI', 'PYUSD'];

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
const pairNames = z.object({ wsname: z.string() });
const assetPairs = z.object({
  result: z.record(z.string(), pairNames.or(z.unknown().transform(() => undefined))),
});

const tickers: TickerApi = {
  name: 'kraken',
  categories: ['spot'],
  async tickers(ask, scope) {
    const [{ value, ...answer }, nameOf] = await Promise.all([
      ask({ path: '/0/public/Ticker' }, tickerList),
      pairNamesOf(ask),
    ]);
    const entries = Object.entries(value.result).map(
      ([symbol, raw]): Entry => ({ symbol, values: valuesOf(raw), raw: { [symbol]: raw } }),
    );
    return normaliseList(entries, FIELDS, (symbol) => pairOf(symbol, nameOf(symbol)), {
      ...scope,
      ...answer,
    });
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
  // Every request is answered with the same candles, so one is enough.
  pageHours: 1_000_000,
  request({ symbol, fromMs }) {
    // `since` is exclusive.
    const since = String(Math.max(0, fromMs / 1_000 - 1));
    return { path: `/0/public/OHLC?${new URLSearchParams({ pair: symbol, interval: '60', since })}` };
  },
  shapeOf,
  pairOf: async ({ symbol }, ask) => pairOf(symbol, (await pairNamesOf(ask))(symbol)),
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
  const { data } = z.object({ error: z.array(z.string()) }).safeParse(json);
  const code = data?.error.filter((error) => !error.startsWith('W')).join(', ');
  if (!code) return undefined;
  if (/^E\w+:(Rate limit|Too many requests|Throttled|Temporary lockout)/.test(code)) {
    return { kind: 'rateLimited', code };
  }
  const isTransient = /^E(Service:|General:Internal error|Query:Temporarily)/.test(code);
  return { kind: isTransient ? 'unavailable' : 'refused', code };
}

/** @returns looks up `XBT/USD`, if AssetPairs is available and lists the symbol */
async function pairNamesOf(ask: Ask): Promise<(symbol: string) => string | undefined> {
  const request = { path: '/0/public/AssetPairs', keepMs: ASSET_PAIRS_KEPT_MS, optional: true };
  const pairs = await ifAvailable(ask(request, assetPairs));
  return (symbol) => pairs?.value.result[symbol]?.wsname;
}

/**
 * Base and quote under their common names.
 * @param wsname `XBT/USD`; without it the symbol is split: `XXBTZUSD`, `ADAUSD`
 */
function pairOf(symbol: string, wsname?: string): CurrencyPair {
  const classic = /^[XZ]([A-Z]{3})[XZ]([A-Z]{3})$/.exec(symbol);
  const split = splitByQuote(symbol, QUOTES);
  const [base, quote] = wsname?.split('/') ?? classic?.slice(1) ?? [split.base, split.quote];
  if (!base || !quote) return {};
  return { base: COMMON_NAMES[base] ?? base, quote: COMMON_NAMES[quote] ?? quote };
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
