import type { Category } from '../../../core/market/series.ts';
import { recordedBybitV5, recordedPayload } from '../../samples/recorded-payloads.ts';

export type Json = Record<string, unknown>;

/** Payloads of three markets each; the exchange's word for a state is in `state`. */
export interface PayloadCase {
  api: string;
  category: Category;
  symbols: readonly [string, string, string];
  payloads(symbols: readonly string[]): Json;
  state: string;
}

const bybit = (
  category: 'spot' | 'linear' | 'inverse' | 'option',
  symbols: PayloadCase['symbols'],
): PayloadCase => ({
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

const binance = (category: 'spot' | 'linear'): PayloadCase => ({
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

const okx = (category: 'spot' | 'linear' | 'inverse', symbols: PayloadCase['symbols']): PayloadCase => ({
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

export const PAYLOAD_CASES: PayloadCase[] = [
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
