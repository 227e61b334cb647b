import { type Candle, candleFromTicks, type PriceTick, withLogReturn } from '../../core/market/candle.ts';
import type { Category } from '../../core/market/series.ts';
import { TICKER_VERSION, type Ticker } from '../../core/market/ticker.ts';
import { HOUR_MS } from '../../core/market/time.ts';

/** A generated market: the same series have the same prices in every run, in whatever order they are asked for. */
export interface GeneratedSeries {
  exchange: string;
  category: Category;
  symbol: string;
  base: string;
  quote: string;
}

/** About how Bybit's series are spread. */
const OF_100: readonly (readonly [Category, number])[] = [
  ['linear', 37],
  ['spot', 41],
  ['inverse', 2],
  ['option', 20],
];
export const SERIES_PER_EXCHANGE = 1_700;

/** Exchanges of 1,700 series each, in four categories. */
export function generatedSeries(count: number): GeneratedSeries[] {
  const exchanges = Math.ceil(count / SERIES_PER_EXCHANGE);
  return Array.from({ length: exchanges }, (_, exchange) => ofExchange(exchange))
    .flat()
    .slice(0, count);
}

function ofExchange(exchange: number): GeneratedSeries[] {
  return OF_100.flatMap(([category, share]) =>
    Array.from({ length: (SERIES_PER_EXCHANGE * share) / 100 }, (_, coin) => ({
      exchange: `exchange${String(exchange).padStart(3, '0')}`,
      category,
      symbol: `COIN${String(coin).padStart(4, '0')}USDT`,
      base: `COIN${String(coin).padStart(4, '0')}`,
      quote: 'USDT',
    })),
  );
}

/** A well mixed number from 0 to 1 for each pair of numbers. */
function mixed(a: number, b: number): number {
  let state = Math.imul(a + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x165667b1, 0xc2b2ae35);
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  state = Math.imul(state ^ (state >>> 12), 0x297a2d39);
  return ((state ^ (state >>> 15)) >>> 0) / 4_294_967_296;
}

/** Each series swings by its own size, few of them much, so that rankings have one right answer. */
export function priceAt(position: number, slotMs: number): number {
  const swing = Math.min(0.3, 0.002 * mixed(position, 1) ** -0.4);
  const noise = mixed(position, slotMs / 60_000) - 0.5;
  const wave = Math.sin(slotMs / HOUR_MS / (3 + 5 * mixed(position, 2)) + position);
  const level = 10 ** (mixed(position, 3) * 6 - 2);
  return Number((level * (1 + swing * (wave + noise))).toPrecision(8));
}

/** What an exchange would say the price did in 24 hours. */
export function changeAt(position: number, slotMs: number): number {
  const before = priceAt(position, slotMs - 24 * HOUR_MS);
  return Number((priceAt(position, slotMs) / before - 1).toFixed(6));
}

/** A tick of the series at this position, with the fields that questions read. */
export function tickerAt(series: GeneratedSeries, position: number, slotMs: number): Ticker {
  const slot = new Date(slotMs).toISOString();
  return {
    v: TICKER_VERSION,
    ...series,
    slot,
    timestamp: slot,
    received_at: slot,
    last_price: priceAt(position, slotMs),
    price_24h_pcnt: changeAt(position, slotMs),
    turnover_24h: Math.round(1e8 * mixed(position, 4)),
  };
}

/** The ticks of one hour, `ticksAnHour` of them, evenly spread. */
function hourOfTicks(position: number, hourMs: number, ticksAnHour: number): PriceTick[] {
  return Array.from({ length: ticksAnHour }, (_, tick) => {
    const slotMs = hourMs + (tick * HOUR_MS) / ticksAnHour;
    return { slotMs, price: priceAt(position, slotMs) };
  });
}

/** The candle that summarise would make of an hour, with its log return. */
export function candleOfHour(
  series: GeneratedSeries,
  position: number,
  hourMs: number,
  ticksAnHour: number,
): Candle {
  const lastSlotMs = hourMs - HOUR_MS / ticksAnHour;
  const previous = { startMs: hourMs - HOUR_MS, hours: 1 as const, close: priceAt(position, lastSlotMs) };
  const candle = candleFromTicks(series, hourMs, hourOfTicks(position, hourMs, ticksAnHour));
  return withLogReturn({ ...candle, polls_due: ticksAnHour }, previous);
}
