import { describe, expect, it } from 'vitest';
import { formatCount, formatPercent, formatPrice, formatTime } from '../../../../core/text/format.ts';

describe('numbers for people', () => {
  it('show a price with digits that suit its magnitude', () => {
    expect(formatPrice(63_123.456)).toBe('63,123.46');
    expect(formatPrice(452.5361)).toBe('452.536');
    expect(formatPrice(0.000000123456789)).toBe('0.000000123457');
  });

  it('show a fraction as a percentage with its sign', () => {
    expect(formatPercent(0.0068)).toBe('+0.68 %');
    expect(formatPercent(-0.5)).toBe('-50.00 %');
    expect(formatPercent(0)).toBe('0.00 %');
  });

  it('group the digits of a count', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
  });

  it('show a time in UTC, with seconds only if there are any', () => {
    expect(formatTime('2018-07-01T00:20:00.000Z')).toBe('2018-07-01 00:20 UTC');
    expect(formatTime('2018-07-01T00:20:07.500Z')).toBe('2018-07-01 00:20:07 UTC');
  });
});
