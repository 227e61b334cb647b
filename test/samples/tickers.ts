import type { Ticker } from '../../core/market/ticker.ts';

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

/** For code that logs in a test that is not about its log. */
export const SILENT_LOG = { info: () => {}, warn: () => {}, error: () => {} };
