import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../../core/market/invalid-input.ts';
import { CATEGORIES, formatSeries, parseSeries, SYMBOL_PATTERN } from '../../../../core/market/series.ts';

describe('the name of a series', () => {
  it('is its exchange, category and symbol', () => {
    expect(formatSeries({ exchange: 'bybit', category: 'spot', symbol: 'BTCUSDT' })).toBe(
      'bybit:spot:BTCUSDT',
    );
  });

  it('may have colons in its symbol', () => {
    expect(parseSeries('bitfinex:spot:tDOGE:USD')).toEqual({
      exchange: 'bitfinex',
      category: 'spot',
      symbol: 'tDOGE:USD',
    });
  });

  it('is read as it was written, whatever the series', () => {
    const series = fc.record({
      exchange: fc.stringMatching(/^[a-z0-9-]{1,40}$/),
      category: fc.constantFrom(...CATEGORIES),
      symbol: fc.oneof(fc.stringMatching(SYMBOL_PATTERN), fc.stringMatching(/^[:A-Z]{1,9}$/)),
    });
    fc.assert(
      fc.property(series, (one) => {
        expect(parseSeries(formatSeries(one))).toEqual(one);
      }),
    );
  });

  it.each(['', 'BTCUSDT', 'bybit:BTCUSDT', 'bybit:futures:BTCUSDT', 'bybit:spot:', ':spot:BTCUSDT'])(
    'cannot be "%s"',
    (text) => {
      expect(() => parseSeries(text)).toThrow(InvalidInputError);
    },
  );
});
