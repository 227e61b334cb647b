import { binance, binanceHost, binancePair } from './binance.ts';
import { type CandleExchange, candleList, epochMs } from './candle-exchange.ts';

/** The limit of spot; futures give 1,500, but weigh more than 1,000 with double. */
const PAGE_HOURS = 1_000;

/**
 * https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints and
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Kline-Candlestick-Data:
 * [open time, open, high, low, close, volume, close time, …], oldest first. Hours of an outage are left out.
 */
const klines = candleList(([start, open, high, low, close]) => ({
  startMs: epochMs(start, 'ms'),
  open,
  high,
  low,
  close,
}));

/** Binance's candles: spot, and USD-M futures on their own host. */
export const binanceCandles: CandleExchange = {
  format: 'binance',
  adapter: binance,
  categories: ['spot', 'linear'],
  pageHours: PAGE_HOURS,
  request({ category, symbol, fromMs, toMs }) {
    const query = new URLSearchParams({
      symbol,
      interval: '1h',
      startTime: String(fromMs),
      endTime: String(toMs - 1),
      limit: String(PAGE_HOURS),
    });
    const path = category === 'spot' ? '/api/v3/klines' : '/fapi/v1/klines';
    return { baseUrl: binanceHost(category), path: `${path}?${query}` };
  },
  shapeOf: () => klines,
  pairOf: ({ category, symbol }, ask) => binancePair(ask, category, symbol),
};
