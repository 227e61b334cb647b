import { describe, expect, it, vi } from 'vitest';
import type { Market } from '../../../../core/market/series.ts';
import { type WatchedIndex, watch } from '../../../../core/operate/watch.ts';

const LINEAR: Market = { exchange: 'bybit', category: 'linear' };
const OPTION: Market = { exchange: 'bybit', category: 'option' };
const at = (time: string) => Date.parse(`2026-03-01T${time}Z`);
const NOW_MS = at('12:30:00.000');
const INTERVALS = { 'bybit:linear': 120_000, 'bybit:option': 3_600_000 };

function indexOf(given: { newest?: Record<string, number>; untilMs?: number; hours?: number }) {
  return {
    newestSlot: vi.fn(async ({ exchange, category }: Market) => given.newest?.[`${exchange}:${category}`]),
    summarisedUntil: async () => given.untilMs,
    hoursWithTicks: vi.fn(async () => given.hours ?? 0),
  } satisfies WatchedIndex;
}

describe('watch', () => {
  it("reports the age of each market's newest ticker", async () => {
    const index = indexOf({
      newest: { 'bybit:linear': at('12:28:00.000'), 'bybit:option': at('11:30:00.000') },
    });
    expect((await watch(NOW_MS, [LINEAR, OPTION], INTERVALS, index)).newest).toEqual([
      { ...LINEAR, ageSeconds: 120 },
      { ...OPTION, ageSeconds: 3_600 },
    ]);
  });

  it('leaves out a market without tickers', async () => {
    const index = indexOf({ newest: { 'bybit:option': NOW_MS } });
    expect((await watch(NOW_MS, [LINEAR, OPTION], INTERVALS, index)).newest).toEqual([
      { ...OPTION, ageSeconds: 0 },
    ]);
  });

  it('counts by exchange the categories whose newest ticker is older than three polls, or that have none', async () => {
    const spot: Market = { exchange: 'kraken', category: 'spot' };
    const staleWith = async (newest: Record<string, number>) =>
      (await watch(NOW_MS, [LINEAR, OPTION, spot], INTERVALS, indexOf({ newest }))).stale;
    expect(
      await staleWith({
        'bybit:linear': at('12:24:00.000'),
        'bybit:option': at('09:30:00.000'),
        'kraken:spot': at('12:23:59.000'),
      }),
    ).toEqual({ bybit: 0, kraken: 1 });
    expect(await staleWith({ 'bybit:option': at('09:29:59.000') })).toEqual({ bybit: 2, kraken: 1 });
  });

  it("reports an age of 0 if its clock is behind the poller's", async () => {
    const index = indexOf({ newest: { 'bybit:linear': NOW_MS + 400 } });
    expect((await watch(NOW_MS, [LINEAR], INTERVALS, index)).newest).toEqual([{ ...LINEAR, ageSeconds: 0 }]);
  });

  it('counts the hours with ticks between the last summarised hour and the last closed one', async () => {
    const index = indexOf({ untilMs: at('09:00:00.000'), hours: 2 });
    expect((await watch(NOW_MS, [LINEAR], INTERVALS, index)).hoursBehind).toBe(2);
    expect(index.hoursWithTicks).toHaveBeenCalledExactlyOnceWith(at('09:00:00.000'), at('12:00:00.000'));
  });

  it('counts from the first tick if nothing is summarised yet', async () => {
    const index = indexOf({ hours: 7 });
    expect((await watch(NOW_MS, [LINEAR], INTERVALS, index)).hoursBehind).toBe(7);
    expect(index.hoursWithTicks).toHaveBeenCalledExactlyOnceWith(0, at('12:00:00.000'));
  });

  it('does not read ticks if every closed hour is summarised', async () => {
    const index = indexOf({ untilMs: at('12:00:00.000'), hours: 9 });
    expect((await watch(NOW_MS, [LINEAR], INTERVALS, index)).hoursBehind).toBe(0);
    expect(index.hoursWithTicks).not.toHaveBeenCalled();
  });

  it('throws if the index cannot be read for one of the markets', async () => {
    const index = indexOf({ newest: { 'bybit:linear': NOW_MS } });
    index.newestSlot.mockRejectedValueOnce(new Error('OpenSearch is away'));
    await expect(watch(NOW_MS, [LINEAR, OPTION], INTERVALS, index)).rejects.toThrow('OpenSearch is away');
  });
});
