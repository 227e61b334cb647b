import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Category } from '../../../core/market/series.ts';
import { findTickerApi } from '../../../exchanges/registry.ts';
import { recordedBybitV5, recordedPayload } from '../../samples/recorded-payloads.ts';
import { tickersFrom } from './offline.ts';

type Json = Record<string, unknown>;

/** Payloads of three markets each; the exchange's word for a state is in `state`. */
interface Case {
  api: string;
  category: Category;
  symbols: readonly [string, string, string];
  payloads(symbols: readonly string[]): Json;
  state: string;
}

const bybit = (category: 'spot' | 'linear' | 'inverse' | 'option', symbols: Case['symbols']): Case => ({
  api: 'bybit-v5',
  category,
  symbols,
  state: 'status',
  payloads: () => {
    const payload = recordedBybitV5(category);
    const [ticker] = payload.result.list as Json[];
    payload.result.list = symbols.map((symbol) => ({ ...ticker, symbol }));
    const list = symbols.map((symbol) => ({ symbol, baseCoin: 'A', quoteCoin: 'B', status: 'Trading' }));
    return {
      [`/v5/market/tickers?category=${category}${category === 'option' ? '&baseCoin=BTC' : ''}`]: payload,
      '/v5/market/instruments-info': { retCode: 0, result: { list, nextPageCursor: '' } },
    };
  },
});

const binance = (category: 'spot' | 'linear'): Case => ({
  api: 'binance',
  category,
  symbols: ['BTCUSDT', 'ETHUSDT', 'ADAUSDT'],
  state: 'status',
  payloads: (symbols) => {
    const name = category === 'spot' ? 'binance' : 'binance-futures';
    const [ticker] = recordedPayload<Json[]>(`${name}-ticker-24hr`);
    const path = category === 'spot' ? '/api/v3' : '/fapi/v1';
    const [premium] = [recordedPayload<Json[]>('binance-futures-premium-index')].flat();
    return {
      [`${path}/ticker/24hr`]: symbols.map((symbol) => ({ ...ticker, symbol })),
      [`${path}/exchangeInfo`]: {
        symbols: symbols.map((symbol) => ({
          ...{ symbol, status: 'TRADING' },
          ...{ baseAsset: symbol.slice(0, 3), quoteAsset: 'USDT' },
        })),
      },
      [`${path}/premiumIndex`]: symbols.map((symbol) => ({ ...premium, symbol })),
    };
  },
});

const okx = (category: 'spot' | 'linear' | 'inverse', symbols: Case['symbols']): Case => ({
  api: 'okx',
  category,
  symbols,
  state: 'state',
  payloads: () => {
    const type = category === 'spot' ? 'SPOT' : 'SWAP';
    const [ticker] = recordedPayload<{ data: Json[] }>('okx-tickers').data;
    const data = symbols.map((instId) => ({ ...ticker, instId }));
    const instruments = symbols.map((instId) => ({ instId, baseCcy: '', uly: '', state: 'live' }));
    return {
      [`/api/v5/market/tickers?instType=${type}`]: { code: '0', msg: '', data },
      [`/api/v5/public/instruments?instType=${type}`]: { code: '0', data: instruments },
    };
  },
});

const CASES: Case[] = [
  bybit('spot', ['BTCUSDT', 'ETHUSDT', 'ADAUSDT']),
  bybit('linear', ['BTCUSDT', 'ETHUSDT', 'ADAUSDT']),
  bybit('option', ['BTC-30DEC22-18000-C', 'BTC-30DEC22-18000-P', 'BTC-30DEC22-19000-C']),
  binance('spot'),
  binance('linear'),
  okx('spot', ['BTC-USDT', 'ETH-USDT', 'ADA-USDT']),
  okx('inverse', ['BTC-USD-SWAP', 'ETH-USD-SWAP', 'ADA-USD-SWAP']),
  {
    api: 'kraken',
    category: 'spot',
    symbols: ['XXBTZUSD', 'ADAUSD', 'SOLUSD'],
    state: 'status',
    payloads: (symbols) => {
      const [ticker] = Object.values(recordedPayload<{ result: Json }>('kraken-ticker').result);
      const of = (value: unknown) =>
        Object.fromEntries(symbols.map((symbol) => [symbol, structuredClone(value)]));
      return {
        '/0/public/Ticker': { error: [], result: of(ticker) },
        '/0/public/AssetPairs': { error: [], result: of({ wsname: 'XBT/USD', status: 'online' }) },
      };
    },
  },
  {
    api: 'coinbase',
    category: 'spot',
    symbols: ['BTC-USD', 'ETH-USD', 'ADA-USD'],
    state: 'status',
    payloads: (symbols) => ({
      '/products': symbols.map((id) => ({ id, quote_currency: 'USD', status: 'online', status_message: '' })),
      ...Object.fromEntries(
        symbols.flatMap((id) => [
          [`/products/${id}/ticker`, recordedPayload('coinbase-ticker')],
          [`/products/${id}/stats`, recordedPayload('coinbase-stats')],
        ]),
      ),
    }),
  },
];

/** Every object of the payloads, the outermost last. */
function objectsIn(value: unknown): Json[] {
  if (typeof value !== 'object' || value === null) return [];
  return [...Object.values(value).flatMap(objectsIn), value as Json];
}

interface Edits {
  /** Where fields are added: positions among all objects. */
  added: { at: number; name: string; value: unknown }[];
  nullForEmpty: boolean;
  /** Fields, by their position among all names, whose text becomes a number or the reverse. */
  retyped: number[];
  renamedState: string | undefined;
}

const edits: fc.Arbitrary<Edits> = fc.record({
  added: fc.array(
    fc.record({
      at: fc.nat(),
      name: fc.constantFrom('newField', 'lastPrice2', 'info', 'st', 'volume30d', 'tags'),
      value: fc.jsonValue({ maxDepth: 2 }),
    }),
    { maxLength: 6 },
  ),
  nullForEmpty: fc.boolean(),
  retyped: fc.array(fc.nat(), { maxLength: 8 }),
  renamedState: fc.option(fc.constantFrom('ACTIVE', 'open', '', 'Trading2', 'halted'), { nil: undefined }),
});

function edit(payloads: Json, state: string, { added, nullForEmpty, retyped, renamedState }: Edits): void {
  const objects = Object.values(payloads).flatMap(objectsIn);
  const maps = objects.filter((each) => !Array.isArray(each));
  const names = [...new Set(objects.flatMap(Object.keys))];
  const toRetype = new Set(retyped.map((at) => names[at % names.length]));
  for (const holder of objects) {
    for (const [name, value] of Object.entries(holder)) {
      if (nullForEmpty && value === '') holder[name] = null;
      if (!toRetype.has(name)) continue;
      if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) holder[name] = Number(value);
      else if (typeof value === 'number') holder[name] = String(value);
    }
  }
  const listed = maps.find((each) => state in each && !('lastPrice' in each));
  if (listed && renamedState !== undefined) listed[state] = renamedState;
  // A map of markets by symbol would gain a market.
  const tickersAndLists = maps.filter((each) => !Object.values(each).some((one) => isMap(one)));
  for (const { at, name, value } of added) {
    const holder = tickersAndLists[at % tickersAndLists.length];
    if (holder && !(name in holder)) holder[name] = value;
  }
}

const isMap = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

describe.each(CASES)('A payload of $api, $category, that the exchange edited', (contract) => {
  const { api: name, category, symbols, payloads, state } = contract;
  const api = findTickerApi(name)?.api;
  const read = (given: Json) => api && tickersFrom(api, category, given);

  it('loses no market but one whose state it renamed, and no price changes', async () => {
    const before = await read(payloads(symbols));
    const priceOf = new Map(before?.tickers.map((each) => [each.symbol, each.last_price]));
    expect([...priceOf.keys()]).toEqual(symbols);
    await fc.assert(
      fc.asyncProperty(edits, async (given) => {
        const edited = structuredClone(payloads(symbols));
        edit(edited, state, given);
        const batch = await read(edited);
        const found = new Map(batch?.tickers.map((each) => [each.symbol, each.last_price]));
        for (const [symbol, price] of found) expect(price).toBe(priceOf.get(symbol));
        const lost = symbols.filter((symbol) => !found.has(symbol));
        if (given.renamedState) expect(lost.length).toBeLessThanOrEqual(1);
        else expect(lost).toEqual([]);
        expect(batch?.rejected).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
