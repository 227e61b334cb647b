import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainDecimal } from '../../../../local/market-replay/replay-market.ts';

describe('a plain decimal', () => {
  it.each([
    [0.7034001, '0.7034001'],
    [13880, '13880'],
    [1e-9, '0.000000001'],
    [1.25e-7, '0.000000125'],
    [-1.25e-7, '-0.000000125'],
    [1.5e21, '1500000000000000000000'],
    [0, '0'],
    [-0, '0'],
  ])('writes %d as %s', (value, text) => {
    expect(plainDecimal(value)).toBe(text);
  });

  it('parses back to exactly the same number, whatever its size', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = plainDecimal(value);
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        expect(Number(text) === value).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
