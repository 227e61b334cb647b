import * as z from 'zod';
import { type CandleExchange, candleList, type ExchangeCandle, epochMs } from './candle-exchange.ts';
import { kraken, krakenPairOf } from './kraken.ts';

/**
 * https://docs.kraken.com/api-reference/market-data/get-ohlc-data: [start in s, open, high, low, close, vwap, volume,
 * count], oldest first; the last one's hour is running. "Older data cannot be retrieved, regardless of since."
 */
const KEPT_CANDLES = 720;
/** A second request would answer the same: one is enough for any range. */
const ONE_REQUEST_HOURS = 1_000_000;

const candles = candleList(([start, open, high, low, close]) => ({
  startMs: epochMs(start, 's'),
  open,
  high,
  low,
  close,
}));

/** The candles lie under the name that Kraken's tickers have, whatever other name was asked for. */
function shapeOf(symbol: string): z.ZodType<ExchangeCandle[]> {
  return z
    .object({ result: z.record(z.string(), z.unknown()) })
    .transform(({ result }, context) => {
      if (Object.hasOwn(result, symbol)) return result[symbol];
      const named = Object.keys(result).filter((name) => name !== 'last');
      context.addIssue(
        `Kraken calls ${symbol} ${named.join(', ')}: ask for it by that name, as its tickers do`,
      );
      return z.NEVER;
    })
    .pipe(candles);
}

/** Kraken's candles of spot pairs: the last 30 days. */
export const krakenCandles: CandleExchange = {
  format: 'kraken',
  adapter: kraken,
  categories: ['spot'],
  pageHours: ONE_REQUEST_HOURS,
  keptCandles: KEPT_CANDLES,
  request({ symbol, fromMs }) {
    // Those after `since` are given, not the one at it.
    const query = new URLSearchParams({
      pair: symbol,
      interval: '60',
      since: String(Math.max(0, fromMs / 1_000 - 1)),
    });
    return { path: `/0/public/OHLC?${query}` };
  },
  shapeOf,
  pairOf: ({ symbol }, ask) => krakenPairOf(ask, symbol),
};
