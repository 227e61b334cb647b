import { type Candle, candleFromTicks, withLogReturn } from '../core/market/candle.ts';
import { HOUR_MS } from '../core/market/time.ts';
import { seededRandom } from './tickers.ts';

const YEARS = 2;
/** Of each series. */
export const HOURS = YEARS * 365 * 24;
export const END_MS = Date.parse('2026-01-01T00:00:00Z');
const START_MS = END_MS - HOURS * HOUR_MS;
const TICKS_AN_HOUR = 4;

export const symbolOf = (series: number) => `COIN${series}USDT`;

/** A random walk, four ticks per hour. */
export function* candlesOf(series: number): Generator<Candle> {
  const random = seededRandom(series + 1);
  const identity = {
    exchange: 'bench',
    category: 'linear' as const,
    symbol: symbolOf(series),
    base: `COIN${series}`,
    quote: 'USDT',
  };
  let price = 10 ** (random() * 6 - 2);
  let previous: Candle | undefined;
  for (let hour = 0; hour < HOURS; hour++) {
    const startMs = START_MS + hour * HOUR_MS;
    const ticks = Array.from({ length: TICKS_AN_HOUR }, (_, tick) => {
      price *= 1 + (random() - 0.5) * 0.01;
      return { slotMs: startMs + (tick * HOUR_MS) / TICKS_AN_HOUR, price: Number(price.toPrecision(8)) };
    });
    const candle = withLogReturn(candleFromTicks(identity, startMs, ticks), previous);
    yield candle;
    previous = candle;
  }
}
