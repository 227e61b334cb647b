import type { Category } from '../../core/market/series.ts';
import type { Ticker } from '../../core/market/ticker.ts';

export const SLOT = '2026-03-01T12:00:00.000Z';
export const SLOT_MS = Date.parse(SLOT);

/** A good ticker; what a test is about is given. */
export function sampleTicker(given: Partial<Ticker> = {}): Ticker {
  return {
    v: 1,
    exchange: 'bybit',
    category: 'spot' satisfies Category,
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

/** For code that has something to say while a test listens to something else. */
export const SILENT_LOG = { info: () => {}, warn: () => {}, error: () => {} };
