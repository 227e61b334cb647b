import { describe, expect, it } from 'vitest';
import { mergeSlices } from '../../../cli/operation.ts';

describe('the outputs of slices', () => {
  it('become one: numbers added, lists joined without duplicates, the last value of anything else', () => {
    interface Output {
      hours: number;
      moves?: number;
      problems: string[];
      until?: string;
    }
    const slices: Output[] = [
      { hours: 1, problems: ['a'], until: '2018-07-01' },
      { hours: 2, moves: 3, problems: ['b', 'a'], until: '2018-07-02' },
      { hours: 3, moves: 4, problems: [] },
    ];
    expect(mergeSlices(slices)).toEqual({ hours: 6, moves: 7, problems: ['a', 'b'], until: '2018-07-02' });
  });
});
