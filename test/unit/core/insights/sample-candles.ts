import {
  type Candle,
  candleFromHistory,
  candleFromTicks,
  withLogReturn,
} from '../../../../core/market/candle.ts';
import type { CandleHours } from '../../../../core/market/price-path.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';

export const SERIES = { exchange: 'recorded', category: 'spot', symbol: 'BTCUSD' } as const;
/** A midnight. */
export const START_MS = Date.parse('2018-03-01T00:00:00.000Z');
export const hourMs = (hour: number): number => START_MS + hour * HOUR_MS;
export const iso = (timeMs: number): string => new Date(timeMs).toISOString();
/** [from, to) in hours since the start. */
export const hours = (from: number, to: number) => ({ fromMs: hourMs(from), toMs: hourMs(to) });

/** A backfilled candle of one price. */
export function flat(hour: number, price: number, length: CandleHours = 1): Candle {
  const prices = { startMs: hourMs(hour), open: price, high: price, low: price, close: price };
  return candleFromHistory(SERIES, prices, length);
}

/** A backfilled candle. */
export function recorded(hour: number, [open, high, low, close]: [number, number, number, number]): Candle {
  return candleFromHistory(SERIES, { startMs: hourMs(hour), open, high, low, close }, 1);
}

/** A candle of ticks, evenly spread over its hour. */
export function ticked(hour: number, prices: readonly number[]): Candle {
  return candleFromTicks(SERIES, hourMs(hour), ticksOf(hour, prices));
}

export function ticksOf(hour: number, prices: readonly number[]) {
  return prices.map((price, index) => ({ slotMs: hourMs(hour) + (index * HOUR_MS) / prices.length, price }));
}

/** The candles with their log returns, as the index holds them. */
export function withReturns(candles: readonly Candle[]): Candle[] {
  return candles.map((candle, index) => withLogReturn(candle, candles[index - 1]));
}
