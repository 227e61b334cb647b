import { HOUR_MS } from '../core/market/time.ts';
import { type CandleExchange, candleList, epochMs } from './candle-exchange.ts';
import { coinbase, coinbasePair } from './coinbase.ts';

/** Coinbase refuses a range of more. */
const PAGE_HOURS = 300;

/**
 * https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-candles: [start in s, low,
 * high, open, close, volume] as JSON numbers, newest first, some of them before the range. Hours without a trade are
 * left out.
 */
const candles = candleList(([start, low, high, open, close]) => ({
  startMs: epochMs(start, 's'),
  open,
  high,
  low,
  close,
}));

/** Coinbase Exchange's candles. */
export const coinbaseCandles: CandleExchange = {
  format: 'coinbase',
  adapter: coinbase,
  categories: ['spot'],
  pageHours: PAGE_HOURS,
  request({ symbol, fromMs, toMs }) {
    const query = new URLSearchParams({
      granularity: '3600',
      start: new Date(fromMs).toISOString(),
      // Both ends are given.
      end: new Date(toMs - HOUR_MS).toISOString(),
    });
    return { path: `/products/${encodeURIComponent(symbol)}/candles?${query}` };
  },
  shapeOf: () => candles,
  pairOf: async ({ symbol }) => coinbasePair(symbol),
};
