import { describe, expect, it, vi } from 'vitest';
import { type WatchedIndex, watch } from '../../../../core/operate/watch.ts';

const at = (time: string) => Date.parse(`2026-03-01T${time}Z`);
const NOW_MS = at('12:30:00.000');

function indexOf(given: { newest?: Record<string, number>; untilMs?: number; hours?: number }) {
  return {
    newestSlot: vi.fn(async (exchange: string) => given.newest?.[exchange]),
    summarisedUntil: async () => given.untilMs,
    hoursWithTicks: vi.fn(async () => given.hours ?? 0),
  } satisfies WatchedIndex;
}

describe('watch', () => {
  it('tells how old the newest ticker of each exchange is', async () => {
    const index = indexOf({ newest: { bybit: at('12:28:00.000'), kraken: at('11:30:00.000') } });
    expect((await watch(NOW_MS, ['bybit', 'kraken'], index)).newest).toEqual([
      { exchange: 'bybit', ageSeconds: 120 },
      { exchange: 'kraken', ageSeconds: 3_600 },
    ]);
  });

  it('says nothing of an exchange that has none', async () => {
    const index = indexOf({ newest: { kraken: NOW_MS } });
    expect((await watch(NOW_MS, ['bybit', 'kraken'], index)).newest).toEqual([
      { exchange: 'kraken', ageSeconds: 0 },
    ]);
  });

  it('finds nothing older than new where its clock is behind the poller’s', async () => {
    const index = indexOf({ newest: { bybit: NOW_MS + 400 } });
    expect((await watch(NOW_MS, ['bybit'], index)).newest).toEqual([{ exchange: 'bybit', ageSeconds: 0 }]);
  });

  it('counts the hours with ticks between the last summarised hour and the last closed one', async () => {
    const index = indexOf({ untilMs: at('09:00:00.000'), hours: 2 });
    expect((await watch(NOW_MS, ['bybit'], index)).hoursBehind).toBe(2);
    expect(index.hoursWithTicks).toHaveBeenCalledExactlyOnceWith(at('09:00:00.000'), at('12:00:00.000'));
  });

  it('counts from the first tick on where nothing was summarised yet', async () => {
    const index = indexOf({ hours: 7 });
    expect((await watch(NOW_MS, ['bybit'], index)).hoursBehind).toBe(7);
    expect(index.hoursWithTicks).toHaveBeenCalledExactlyOnceWith(0, at('12:00:00.000'));
  });

  it('does not look at ticks where every closed hour is summarised', async () => {
    const index = indexOf({ untilMs: at('12:00:00.000'), hours: 9 });
    expect((await watch(NOW_MS, ['bybit'], index)).hoursBehind).toBe(0);
    expect(index.hoursWithTicks).not.toHaveBeenCalled();
  });

  it('throws where the index cannot be asked about one of them', async () => {
    const index = indexOf({ newest: { bybit: NOW_MS } });
    index.newestSlot.mockRejectedValueOnce(new Error('OpenSearch is away'));
    await expect(watch(NOW_MS, ['bybit', 'kraken'], index)).rejects.toThrow('OpenSearch is away');
  });
});
