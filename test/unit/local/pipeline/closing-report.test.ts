import { describe, expect, it } from 'vitest';
import { percentile } from '../../../../local/pipeline/closing-report.ts';

describe('a percentile by nearest rank', () => {
  it('is a value of the list', () => {
    expect(percentile([40, 10, 30, 20], 50)).toBe(20);
    expect(percentile([40, 10, 30, 20], 95)).toBe(40);
  });

  it('of one value is that value', () => {
    expect(percentile([7], 50)).toBe(7);
    expect(percentile([7], 0)).toBe(7);
  });

  it('of no values is no number', () => {
    expect(percentile([], 50)).toBeNaN();
  });
});
