import { describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { beginWalk, extendWalk, moveOn, walkSlice } from '../../../../core/operate/lake-walk.ts';
import type { Stretch } from '../../../../core/operate/ports.ts';

const of = (exchange: string, fromHour: number, toHour: number): Stretch => ({
  exchange,
  category: 'spot',
  fromMs: fromHour * HOUR_MS,
  toMs: toHour * HOUR_MS,
});

describe('a walk that is extended', () => {
  it('covers what was added after the stretches that are done, in the current one, and elsewhere', async () => {
    const walk = beginWalk([of('bybit', 0, 10), of('okx', 0, 10)]);
    moveOn(walk, 10 * HOUR_MS);
    moveOn(walk, 4 * HOUR_MS);
    const found = [of('bybit', 0, 12), of('kraken', 5, 6), of('okx', 0, 11)];
    const extended = extendWalk(walk, found);
    const steps: Stretch[] = [];
    const { progress } = await walkSlice(
      extended,
      {},
      () => true,
      async (rest) => {
        steps.push(rest);
        moveOn(extended, rest.toMs);
      },
    );
    expect(steps).toEqual([of('okx', 4, 11), of('bybit', 10, 12), of('kraken', 5, 6)]);
    expect(progress).toEqual({ done: 24, total: 24, unit: 'hours' });
  });

  it('is the same if nothing was added', () => {
    const walk = beginWalk([of('bybit', 0, 10)]);
    moveOn(walk, HOUR_MS);
    expect(extendWalk(walk, [of('bybit', 0, 10)])).toEqual(walk);
  });
});
