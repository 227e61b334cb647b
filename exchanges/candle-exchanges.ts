import type { Category } from '../core/market/series.ts';
import { binanceCandles } from './binance-candles.ts';
import { bybitCandles } from './bybit-candles.ts';
import type { CandleExchange } from './candle-exchange.ts';
import { coinbaseCandles } from './coinbase-candles.ts';
import { krakenCandles } from './kraken-candles.ts';
import { okxCandles } from './okx-candles.ts';

/** The exchanges whose hourly candles we fetch ourselves, by name. */
export const CANDLE_EXCHANGES: Readonly<Record<string, CandleExchange>> = {
  bybit: bybitCandles,
  binance: binanceCandles,
  okx: okxCandles,
  kraken: krakenCandles,
  coinbase: coinbaseCandles,
};

/** Why no hourly candles of a market can be fetched; undefined where they can. */
export function whyNoCandles(exchange: string, category: Category): string | undefined {
  const known = Object.hasOwn(CANDLE_EXCHANGES, exchange) ? CANDLE_EXCHANGES[exchange] : undefined;
  if (!known) {
    const names = Object.keys(CANDLE_EXCHANGES).join(', ');
    return `there is no history of ${exchange} to fetch; there is of ${names}, and of any other exchange as ccxt:<id>`;
  }
  if (known.categories.includes(category)) return undefined;
  return `${exchange} has no candles of ${category}; it has ${known.categories.join(', ')}`;
}
