import * as z from 'zod';
import type { Category, CurrencyPair } from '../core/market/series.ts';
import type { CandleApi, Exchange, TickerApi } from './exchange.ts';
import { type Ask, instrumentsOf } from './http/ask.ts';
import { type ApiFailure, errorCode } from './http/failures.ts';
import { candleList } from './payload/candles.ts';
import { type FieldNames, fieldOf, fieldReaders } from './payload/fields.ts';
import {
  type Instrument,
  type InstrumentStates,
  instrumentFields,
  instrumentList,
  listedMarkets,
  type Markets,
  textOf,
} from './payload/instruments.ts';
import { splitByDash } from './payload/pair.ts';
import { type Entry, entriesOf, normaliseList } from './payload/tickers.ts';

/**
 * https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-tickers: no percentage, but the price 24 hours
 * ago. Sizes are in the unit of orders: contracts for swaps.
 */
const COMMON: FieldNames = {
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
 * `vol24h` is in base currency for spot and in contracts for swaps; `volCcy24h` is in quote currency for spot and in
 * base currency for swaps. Our linear volume is in base currency; our inverse volume is in contracts, with the
 * turnover in base currency.
 */
const FIELDS = fieldReaders({ ...COMMON, vol24h: 'volume_24h', volCcy24h: 'turnover_24h' });
const LINEAR_FIELDS = fieldReaders({ ...COMMON, volCcy24h: 'volume_24h' });

const tickers: TickerApi = {
  name: 'okx',
  categories: ['spot', 'linear', 'inverse'],
  async tickers(ask, scope) {
    const { category, categories } = scope;
    // One request answers linear and inverse swaps.
    const path = `/api/v5/market/tickers?instType=${instType(category)}`;
    const { value, ...answer } = await ask({ path }, z.object({ data: z.array(z.unknown()) }));
    const markets = await marketsOf(ask, category);
    const fields = category === 'linear' ? LINEAR_FIELDS : FIELDS;
    const entries = entriesOf(value.data, 'instId').filter(
      (entry) => category === 'spot' || swapCategory(entry, categories) === category,
    );
    return normaliseList(entries, fields, markets, { ...scope, ...answer });
  },
};

const instType = (category: Category) => (category === 'spot' ? 'SPOT' : 'SWAP');

/** https://www.okx.com/docs-v5/en/#public-data-rest-api-get-instruments */
const STATES: InstrumentStates = {
  trading: ['live'],
  notOpen: ['preopen', 'test'],
  ended: ['suspend', 'expired', 'rebase', 'settling'],
};
const readSpot = instrumentFields({ symbol: 'instId', base: 'baseCcy', quote: 'quoteCcy', state: 'state' });
const instruments = z.object({ data: instrumentList(readInstrument) }).transform(({ data }) => data);

/** A swap has an underlying pair (`BTC-USDT`) instead of base and quote. */
function readInstrument(raw: unknown): Partial<Instrument> {
  const { base, quote, ...market } = readSpot(raw);
  const underlying = pairOf(textOf(fieldOf(raw, 'uly')) ?? '');
  return { ...market, ...(base && quote ? { base, quote } : underlying) };
}

async function marketsOf(ask: Ask, category: Category): Promise<Markets> {
  const path = `/api/v5/public/instruments?instType=${instType(category)}`;
  return listedMarkets(await instrumentsOf(ask, { path }, instruments), STATES, pairOf);
}

/**
 * Coin-margined swaps (`BTC-USD-SWAP`) are inverse, all others linear. An entry without a symbol goes to the first
 * category requested, which rejects it.
 */
function swapCategory({ symbol }: Entry, requested: readonly Category[]): Category | undefined {
  if (typeof symbol !== 'string') return requested.find((category) => category !== 'spot');
  return /-USD-SWAP$/.test(symbol) ? 'inverse' : 'linear';
}

const PAGE_HOURS = 100;
/** The ninth element is 0 while the hour is running. */
const isRunning = (row: readonly unknown[]) => row[8] === '0';
const PRICES = ['open', 'high', 'low', 'close'] as const;
/** A spot market's first volume is in the base currency; a contract's is in contracts, and its second in the base. */
const spotRows = candleList('ms', [...PRICES, 'volume', null, 'turnover'], isRunning);
const contractRows = candleList('ms', [...PRICES, null, 'volume', 'turnover'], isRunning);

/**
 * https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks-history: [start, open, high, low,
 * close, volume in contracts or base, in base or quote, in quote, confirm], newest first.
 */
const candles: CandleApi = {
  format: 'okx-v5',
  categories: ['spot', 'linear', 'inverse'],
  pageHours: PAGE_HOURS,
  request({ symbol, fromMs, toMs }) {
    const query = new URLSearchParams({
      instId: symbol,
      bar: '1H',
      // Both are exclusive, and seen from the newest candle.
      after: String(toMs),
      before: String(fromMs - 1),
      limit: String(PAGE_HOURS),
    });
    return { path: `/api/v5/market/history-candles?${query}` };
  },
  shapeOf: (symbol) =>
    z
      .object({ data: symbol.split('-').length === 2 ? spotRows : contractRows })
      .transform(({ data }) => data),
  pairOf: async ({ category, symbol }, ask) => (await marketsOf(ask, category)).pairOf(symbol),
};

/** `BTC-USDT`, `BTC-USDT-SWAP`, `BTC-USD_UM-SWAP`. */
function pairOf(symbol: string): CurrencyPair {
  return splitByDash(symbol.replace(/_UM\b/, ''));
}

/** Maintenance, timeout, offline, busy, system error. */
const TRANSIENT = new Set([50001, 50004, 50005, 50013, 50026, 51767, 51774]);
const LIMITED = new Set([50011, 50040, 50061]);

/** https://www.okx.com/docs-v5/en/#error-code */
function apiFailure(json: unknown): ApiFailure | undefined {
  const { data } = z.object({ code: errorCode, msg: z.string().nullish() }).safeParse(json);
  if (!data || data.code === 0) return undefined;
  const failure = { code: `code ${data.code}`, message: data.msg || 'no message' };
  if (LIMITED.has(data.code)) return { kind: 'rateLimited', ...failure };
  return { kind: TRANSIENT.has(data.code) ? 'unavailable' : 'refused', ...failure };
}

/** OKX spot and perpetual swaps. */
export const okx: Exchange = {
  name: 'okx',
  baseUrl: 'https://www.okx.com',
  pace: { concurrency: 4 },
  // 20 requests in 2 s.
  limits: { waitMs: () => 2_000 },
  apiFailure,
  tickerApis: [tickers],
  candles,
  pairOf,
};
