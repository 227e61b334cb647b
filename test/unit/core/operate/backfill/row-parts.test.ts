import { describe, expect, it } from 'vitest';
import { rowParts } from '../../../../../core/operate/backfill/row-parts.ts';

const row = (symbol: string, startMs: number) => ({
  symbol,
  hours: 1 as const,
  startMs,
  open: 2,
  high: 4,
  low: 1,
  close: 3,
  volume: 5,
});

const partsOf = (...given: Parameters<typeof rowParts>) => Array.fromAsync(rowParts(...given));

describe('the parts of a history', () => {
  it('have each symbol’s rows in time order, and the same for the same history', async () => {
    const history = [row('A', 1), row('A', 2), row('B', 1), row('B', 2)];
    expect(await partsOf(history, 3)).toEqual([
      {
        hours: 1,
        series: [
          {
            symbol: 'A',
            rows: [
              [1, 2, 4, 1, 3, 5],
              [2, 2, 4, 1, 3, 5],
            ],
          },
          { symbol: 'B', rows: [[1, 2, 4, 1, 3, 5]] },
        ],
      },
      { hours: 1, series: [{ symbol: 'B', rows: [[2, 2, 4, 1, 3, 5]] }] },
    ]);
  });

  it('have either hours or days', async () => {
    const parts = await partsOf([row('A', 1), { ...row('B', 1), hours: 24 as const }, row('C', 1)]);
    expect(parts.map(({ hours }) => hours)).toEqual([1, 24, 1]);
  });

  it('keep what a history has besides prices', async () => {
    const pair = { base: 'A', quote: 'USD' };
    const path: [number, number][] = [[0, 2]];
    const [part] = await partsOf([
      { ...row('A', 1), ...pair, turnover: 12 },
      { ...row('A', 2), path },
    ]);
    const rows = [
      [1, 2, 4, 1, 3, 5, 12],
      [2, 2, 4, 1, 3, 5, null, path],
    ];
    expect(part?.series).toEqual([{ symbol: 'A', ...pair, rows }]);
  });

  it('stay below what an event may have, however long the paths', async () => {
    const path = Array.from({ length: 150 }, (_, at): [number, number] => [at * 20_000, 12_345.678_9]);
    const history = Array.from({ length: 3_000 }, (_, at) => ({ ...row('A', at * 3_600_000), path }));
    const parts = await partsOf(history);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(JSON.stringify(part).length).toBeLessThan(5_000_000);
  });

  it('are empty for an empty history', async () => {
    expect(await partsOf([])).toEqual([]);
  });
});
