import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candlePath, PATH_OFFSETS_MS } from '../../../../core/market/price-path.ts';

const minutes = (count: number): number => count * 60_000;

describe('the path of a candle', () => {
  it('of a rising hour is open, low, high, close at minutes 0, 20, 40 and 59', () => {
    expect(candlePath({ open: 10, high: 14, low: 9, close: 12 }, 1)).toEqual([
      [0, 10],
      [minutes(20), 9],
      [minutes(40), 14],
      [minutes(59), 12],
    ]);
  });

  it('of a falling hour is open, high, low, close', () => {
    expect(candlePath({ open: 12, high: 14, low: 9, close: 10 }, 1).map(([, price]) => price)).toEqual([
      12, 14, 9, 10,
    ]);
  });

  it('of an hour that closes at its open goes to the low first', () => {
    expect(candlePath({ open: 10, high: 14, low: 9, close: 10 }, 1).map(([, price]) => price)).toEqual([
      10, 9, 14, 10,
    ]);
  });

  it('of a day has its points at 0 h, 8 h, 16 h and 23 h 59 min', () => {
    expect(PATH_OFFSETS_MS[24]).toEqual([0, minutes(8 * 60), minutes(16 * 60), minutes(24 * 60 - 1)]);
    expect(candlePath({ open: 12, high: 14, low: 9, close: 10 }, 24)).toEqual([
      [0, 12],
      [minutes(8 * 60), 14],
      [minutes(16 * 60), 9],
      [minutes(24 * 60 - 1), 10],
    ]);
  });

  it('always has the prices of its candle', () => {
    const fourPrices = fc.array(fc.double({ min: 1e-9, max: 1e6, noNaN: true }), {
      minLength: 4,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fourPrices, fc.constantFrom(1 as const, 24 as const), (drawn, hours) => {
        const [open = 0, close = 0] = drawn;
        const candle = { open, high: Math.max(...drawn), low: Math.min(...drawn), close };
        const path = candlePath(candle, hours);
        const prices = path.map(([, price]) => price);
        expect({
          open: prices[0],
          high: Math.max(...prices),
          low: Math.min(...prices),
          close: prices[3],
        }).toEqual(candle);
        expect(path.map(([offsetMs]) => offsetMs)).toEqual(PATH_OFFSETS_MS[hours]);
      }),
    );
  });
});
