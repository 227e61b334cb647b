import * as z from 'zod';
import { type CandleExchange, candleList, epochMs } from './candle-exchange.ts';
import { okx, okxPair } from './okx.ts';

/** OKX's own limit for one request of its history. */
const PAGE_HOURS = 100;

/**
 * https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks-history: [start, open, high, low,
 * close, volume ×3, confirm], newest first; `confirm` is 0 while the hour is running.
 */
const candles = z
  .object({
    data: candleList(([start, open, high, low, close, _volume, _ofBase, _ofQuote, confirm]) => ({
      startMs: epochMs(start, 'ms'),
      open,
      high,
      low,
      close,
      ...(confirm === '0' ? { isOpen: true } : {}),
    })),
  })
  .transform(({ data }) => data);

/** OKX's candles of spot and perpetual swaps. */
export const okxCandles: CandleExchange = {
  format: 'okx-v5',
  adapter: okx,
  categories: ['spot', 'linear', 'inverse'],
  pageHours: PAGE_HOURS,
  request({ symbol, fromMs, toMs }) {
    const query = new URLSearchParams({
      instId: symbol,
      bar: '1H',
      // Both ends are left out, and named from the newest one's point of view.
      after: String(toMs),
      before: String(fromMs - 1),
      limit: String(PAGE_HOURS),
    });
    return { path: `/api/v5/market/history-candles?${query}` };
  },
  shapeOf: () => candles,
  pairOf: async ({ symbol }) => okxPair(symbol),
};
