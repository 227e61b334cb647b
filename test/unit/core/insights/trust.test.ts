import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadHours } from '../../../../core/insights/history.ts';
import { trustOf } from '../../../../core/insights/trust.ts';
import type { Candle } from '../../../../core/market/candle.ts';
import { InMemoryStore } from './in-memory-store.ts';
import { flat, hours, recorded, SERIES, ticked } from './sample-candles.ts';

const trust = async (candles: Candle[], window = hours(0, 10)) =>
  trustOf(await loadHours(new InMemoryStore(candles), SERIES, window), window, 120_000);

describe('how much an answer can be trusted', () => {
  it('reports how many returns there are, including that of the window’s first hour', async () => {
    const candles = [flat(-1, 1), flat(0, 2), flat(1, 3), flat(3, 4), flat(4, 5)];
    expect(await trust(candles)).toMatchObject({ returns: 3 });
    expect(await trust(candles.slice(1))).toMatchObject({ returns: 2 });
  });

  it('reports the longest gap, including the edges', async () => {
    expect(await trust([flat(3, 1), flat(5, 1), flat(9, 1)])).toMatchObject({ longestGapHours: 3 });
    expect(await trust([flat(0, 1)])).toMatchObject({ longestGapHours: 9 });
    expect(await trust([flat(0, 1, 24)])).toMatchObject({ longestGapHours: 0 });
  });

  it('reports the hours whose only price is the close before', async () => {
    const stuck = [recorded(0, [1, 2, 1, 2]), flat(1, 2), flat(2, 3), flat(3, 3), recorded(4, [3, 4, 3, 3])];
    expect(await trust(stuck)).toMatchObject({ staleHours: 2 });
    expect(await trust([flat(-1, 7), flat(0, 7)])).toMatchObject({ staleHours: 1 });
    expect(await trust([flat(0, 7), flat(3, 7)])).toMatchObject({ staleHours: 1 });
    expect(await trust([flat(-24, 7, 24), flat(0, 7, 24)], hours(0, 24))).toMatchObject({ staleHours: 24 });
  });

  it('reports where the hours come from, and how often each source has a price', async () => {
    expect(await trust([flat(0, 1, 24), flat(24, 1), ticked(25, [1])], hours(0, 26))).toMatchObject({
      sources: { ticks: 1 / 26, hourly: 1 / 26, daily: 24 / 26 },
      samplingIntervalSeconds: 21_600,
      samplingIntervalSecondsBySource: { ticks: 120, hourly: 900, daily: 21_600 },
    });
    expect(await trust([{ ...ticked(0, [1]), polls_due: 4 }, ticked(1, [1])])).toMatchObject({
      sources: { ticks: 1, hourly: 0, daily: 0 },
      samplingIntervalSecondsBySource: { ticks: 900 },
    });
  });

  it('adds up over two windows that meet', async () => {
    const prices = fc.array(fc.option(fc.constantFrom(1, 2)), { minLength: 10, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(prices, fc.integer({ min: 1, max: 9 }), async (all, cut) => {
        const candles = all.flatMap((price, hour) => (price === null ? [] : [flat(hour, price)]));
        const whole = await trust(candles);
        const parts = [await trust(candles, hours(0, cut)), await trust(candles, hours(cut, 10))];
        const total = (of: (one: typeof whole) => number) => parts.reduce((sum, one) => sum + of(one), 0);
        expect(total(({ returns }) => returns)).toBe(whole.returns);
        expect(total(({ staleHours }) => staleHours)).toBe(whole.staleHours);
      }),
    );
  });
});
