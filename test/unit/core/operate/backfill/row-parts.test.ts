import { describe, expect, it } from 'vitest';
import { rowParts } from '../../../../../core/operate/backfill/row-parts.ts';

const row = (symbol: string, startMs: number) => ({
  symbol,
  startMs,
  open: 2,
  high: 4,
  low: 1,
  close: 3,
  volume: 5,
});

describe('the parts of a history', () => {
  it('have each symbol’s rows in time order, whatever the order in the file', () => {
    expect(rowParts([row('B', 2), row('A', 2), row('B', 1), row('A', 1)], 3)).toEqual([
      [
        {
          symbol: 'A',
          rows: [
            [1, 2, 4, 1, 3, 5],
            [2, 2, 4, 1, 3, 5],
          ],
        },
        { symbol: 'B', rows: [[1, 2, 4, 1, 3, 5]] },
      ],
      [{ symbol: 'B', rows: [[2, 2, 4, 1, 3, 5]] }],
    ]);
  });

  it('keep a turnover that the history tells', () => {
    expect(rowParts([{ ...row('A', 1), turnover: 12 }])).toEqual([
      [{ symbol: 'A', rows: [[1, 2, 4, 1, 3, 5, 12]] }],
    ]);
  });

  it('are empty for an empty history', () => {
    expect(rowParts([])).toEqual([]);
  });
});
