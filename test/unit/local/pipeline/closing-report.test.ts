import { describe, expect, it } from 'vitest';
import { percentile } from '../../../../local/pipeline/closing-report.ts';

describe('a percentile by nearest rank', () => {
  it('is one of the values', () => {
    expect(percentile([40, 10, 30, 20], 50)).toBe(20);
    expect(percentile([40, 10, 30, 20], 95)).toBe(40);
  });

  it('is the only value of a list of one', () => {
    expect(percentile([7], 50)).toBe(7);
    expect(percentile([7], 0)).toBe(7);
  });

  it('is NaN without values', () => {
    expect(percentile([], 50)).toBeNaN();
  });
});
