import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../../core/market/time.ts';
import type { HourCount } from '../../../../core/summarise/ports.ts';
import { deleteOldTicks } from '../../../../core/summarise/retention.ts';
import { SILENT_LOG } from '../../../samples/tickers.ts';
import { BTC, MemoryStore } from './in-memory.ts';

const OCTOBER = Date.UTC(2018, 9, 1);

function world({ until = OCTOBER, ticks = [] as HourCount[], samples = [] as HourCount[] } = {}) {
  const store = new MemoryStore();
  store.until = until;
  const deleted: string[] = [];
  const within = (all: readonly HourCount[]) => async (fromMs: number, toMs: number) =>
    all.filter(({ hourMs }) => hourMs >= fromMs && hourMs < toMs);
  const run = (nowMs: number, hasTime = () => true) =>
    deleteOldTicks(nowMs, 30 * DAY_MS, {
      months: {
        months: async () => ['2018.07', '2018.08', '2018.09', '2018.10'],
        deleteMonth: async (month) => void deleted.push(month),
      },
      counts: { tickCounts: within(ticks), candleSamples: within(samples), dailyCandles: async () => [] },
      progress: store,
      samplingIntervals: {},
      log: SILENT_LOG,
      hasTime,
    });
  return { store, deleted, run };
}

const count = (ms: number, ticks: number): HourCount => ({ series: BTC, hourMs: ms, count: ticks });

describe('deleting old ticks', () => {
  it('deletes whole months whose end is older than the retention', async () => {
    const { run, deleted } = world();
    expect(await run(Date.UTC(2018, 9, 1))).toEqual(['2018.07', '2018.08']);
    expect(deleted).toEqual(['2018.07', '2018.08']);
  });

  it('waits until the last day of a month is old enough', async () => {
    expect(await world().run(Date.UTC(2018, 7, 31) - 1)).toEqual([]);
    expect(await world().run(Date.UTC(2018, 7, 31))).toEqual(['2018.07']);
  });

  it('keeps a month that is not completely summarised', async () => {
    expect(await world({ until: Date.UTC(2018, 8, 1) - 1 }).run(OCTOBER)).toEqual(['2018.07']);
  });

  it('keeps a month with ticks missing from its candles, and sets summarising back to them', async () => {
    const hourMs = Date.UTC(2018, 6, 5, 7);
    const { run, store } = world({ ticks: [count(hourMs, 5)], samples: [count(hourMs, 4)] });
    expect(await run(OCTOBER)).toEqual([]);
    expect(store.until).toBe(hourMs);
  });

  it('keeps a month that late ticks have come for since they were counted', async () => {
    const { run, store } = world();
    store.late.add(Date.UTC(2018, 7, 5, 7));
    expect(await run(OCTOBER)).toEqual(['2018.07']);
    expect(store.pending).toEqual([Date.UTC(2018, 7, 5, 7)]);
  });

  it('deletes ticks that came back after their deletion', async () => {
    const hourMs = Date.UTC(2018, 6, 5, 7);
    const { run } = world({ ticks: [count(hourMs, 2)], samples: [count(hourMs, 4)] });
    expect(await run(OCTOBER)).toContain('2018.07');
  });

  it('deletes nothing that it has no time to check', async () => {
    expect(await world().run(OCTOBER, () => false)).toEqual([]);
  });
});
