import type { Ticker } from '../../core/market/ticker.ts';
import { TICKER_FIELDS } from '../../core/market/ticker-fields.ts';

export const SLOT = '2026-03-01T12:00:00.000Z';
export const SLOT_MS = Date.parse(SLOT);

/** A valid ticker; a test gives what it is about. */
export function sampleTicker(given: Partial<Ticker> = {}): Ticker {
  return {
    v: 1,
    exchange: 'bybit',
    category: 'spot',
    symbol: 'BTCUSDT',
    base: 'BTC',
    quote: 'USDT',
    slot: SLOT,
    timestamp: '2026-03-01T12:00:00.123Z',
    received_at: '2026-03-01T12:00:00.456Z',
    last_price: 20533.13,
    price_24h_pcnt: 0.0068,
    ...given,
  };
}

/** Of as many markets. */
export const sampleTickers = (count: number, given: Partial<Ticker> = {}): Ticker[] =>
  Array.from({ length: count }, (_, index) => sampleTicker({ symbol: `C${index}USDT`, ...given }));

/** For code that logs in a test that is not about its log. */
export const SILENT_LOG = { info: () => {}, warn: () => {}, error: () => {} };

const VALUES = { time: '2028-02-29T23:59:59.999Z', text: 'ZeroMinusTick' };

/** A ticker with a value in every field, whose digits no `float` could keep. */
export function fullTicker(given: Partial<Ticker> = {}): Ticker {
  const values = Object.entries(TICKER_FIELDS).map(([field, kind], at) => [
    field,
    kind === 'time' || kind === 'text' ? VALUES[kind] : (at + 1) / 7,
  ]);
  return sampleTicker({ ...Object.fromEntries(values), ...given });
}
