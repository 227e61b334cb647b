import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tickerIndexOf } from '../../../../core/market/index-names.ts';
import { CATEGORIES, SYMBOL_PATTERN } from '../../../../core/market/series.ts';
import { tickerId, tickerSchema } from '../../../../core/market/ticker.ts';
import { SLOT, SLOT_MS, sampleTicker } from '../../../samples/tickers.ts';

describe('a ticker', () => {
  it('has an id made of its series and its slot', () => {
    expect(tickerId(sampleTicker())).toBe(`bybit:spot:BTCUSDT:${SLOT_MS}`);
  });

  it('keeps its id when it is received again', () => {
    const again = sampleTicker({ received_at: '2027-01-01T00:00:00.000Z', last_price: 1 });
    expect(tickerId(again)).toBe(tickerId(sampleTicker()));
  });

  it('is stored in the index of its slot’s month', () => {
    expect(tickerIndexOf(SLOT)).toBe('tickers-2026.03');
  });

  it('has an id short enough for OpenSearch, whatever its symbol', () => {
    fc.assert(
      fc.property(fc.stringMatching(SYMBOL_PATTERN), fc.constantFrom(...CATEGORIES), (symbol, category) => {
        const ticker = sampleTicker({ exchange: 'x'.repeat(40), category, symbol });
        fc.pre(tickerSchema.safeParse(ticker).success);
        expect(Buffer.byteLength(tickerId(ticker))).toBeLessThanOrEqual(512);
      }),
    );
  });

  it.each([
    ['no price', { last_price: undefined }],
    ['a price of 0', { last_price: 0 }],
    ['a price in text', { last_price: '1' }],
    ['an infinite price', { last_price: Number.POSITIVE_INFINITY }],
    ['a price that is not a number', { last_price: Number.NaN }],
    ['a slot without milliseconds', { slot: '2026-03-01T12:00:00Z' }],
    ['a slot that is not UTC', { slot: '2026-03-01T12:00:00.000+01:00' }],
    ['an unknown category', { category: 'futures' }],
    ['white space in its symbol', { symbol: 'BTC USDT' }],
    ['an empty text', { last_tick_direction: '' }],
    ['a value of null', { bid_price: null }],
    ['an unknown field', { bidPrice: 1 }],
    ['another version', { v: 2 }],
  ])('is not valid with %s', (_, wrong) => {
    expect(tickerSchema.safeParse({ ...sampleTicker(), ...wrong }).success).toBe(false);
  });
});
