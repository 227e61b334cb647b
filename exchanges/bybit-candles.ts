import * as z from 'zod';
import { splitBybitSymbol } from './bybit-symbols.ts';
import { bybitV5 } from './bybit-v5.ts';
import { type CandleExchange, candleList, epochMs } from './candle-exchange.ts';

/** Bybit's own limit for one request. */
const PAGE_HOURS = 1_000;

/** https://bybit-exchange.github.io/docs/v5/market/kline: [start, open, high, low, close, volume, turnover], newest first. */
const klines = z
  .object({
    result: z.object({
      list: candleList(([start, open, high, low, close]) => ({
        startMs: epochMs(start, 'ms'),
        open,
        high,
        low,
        close,
      })),
    }),
  })
  .transform(({ result }) => result.list);

/** Bybit's candles, of everything but options. */
export const bybitCandles: CandleExchange = {
  format: 'bybit-v5',
  adapter: bybitV5,
  categories: ['linear', 'inverse', 'spot'],
  pageHours: PAGE_HOURS,
  request({ category, symbol, fromMs, toMs }) {
    const query = new URLSearchParams({
      category,
      symbol,
      interval: '60',
      start: String(fromMs),
      end: String(toMs - 1),
      limit: String(PAGE_HOURS),
    });
    return { path: `/v5/market/kline?${query}` };
  },
  shapeOf: () => klines,
  pairOf: async ({ category, symbol }) => splitBybitSymbol(category, symbol),
};
