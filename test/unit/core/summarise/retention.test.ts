import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../../core/market/time.ts';
import type { HourCount } from '../../../../core/summarise/ports.ts';
import { deleteOldTicks } from '../../../../core/summarise/retention.ts';
import { SILENT_LOG } from '../../../samples/tickers.ts';
import { BTC, countsIn, ETH, Killed, MemoryStore } from './in-memory.ts';

const OCTOBER = Date.UTC(2018, 9, 1);

function world({ until = OCTOBER, ticks = [] as HourCount[], samples = [] as HourCount[] } = {}) {
  const store = new MemoryStore();
  store.until = until;
  const deleted: string[] = [];
  const counts = countsIn({ ticks: () => ticks, samples: () => samples, days: () => [] });
  const checked: number[] = [];
  const run = (nowMs: number, hasTime = () => true) =>
    deleteOldTicks(nowMs, 30 * DAY_MS, {
      months: {
        months: async () => ['2018.07', '2018.08', '2018.09', '2018.10'],
        deleteMonth: async (month) => void deleted.push(month),
      },
      counts: {
        ...counts,
        tickCounts(fromMs, toMs) {
          checked.push(fromMs);
          return counts.tickCounts(fromMs, toMs);
        },
      },
      store,
      samplingIntervals: {},
      log: SILENT_LOG,
      hasTime,
    });
  return { store, deleted, checked, run };
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

  it('keeps a month with ticks missing from its candles, and has their hours summarised again', async () => {
    const hours = [5, 9].map((day) => Date.UTC(2018, 6, day, 7));
    const { run, store } = world({
      ticks: hours.map((ms) => count(ms, 5)),
      samples: hours.map((ms) => count(ms, 4)),
    });
    expect(await run(OCTOBER)).toEqual([]);
    expect(store.pending).toEqual(hours);
    expect(store.until).toBe(OCTOBER);
    await store.setLateHours([]);
    expect(await run(OCTOBER)).toEqual(['2018.07', '2018.08']);
  });

  it('finds a missing tick although the hour has as many samples as ticks', async () => {
    const hourMs = Date.UTC(2018, 6, 5, 7);
    const { run, store } = world({
      ticks: [count(hourMs, 5), { ...count(hourMs, 3), series: ETH }],
      samples: [count(hourMs, 4), { ...count(hourMs, 4), series: ETH }],
    });
    expect(await run(OCTOBER)).toEqual([]);
    expect(store.pending).toEqual([hourMs]);
  });

  it('continues where the last run stopped, killed or out of time', async () => {
    const hours = Array.from({ length: 60 }, (_, hour) => count(Date.UTC(2018, 6, 1, hour), 2));
    const { run, store, deleted, checked } = world({ ticks: hours, samples: hours });
    let left = 0;
    for (let runs = 0; deleted.length === 0; runs += 1) {
      expect(runs).toBeLessThan(40);
      left = 3;
      store.killAt = runs % 3 === 0 ? store.writes + 2 : Number.POSITIVE_INFINITY;
      await run(Date.UTC(2018, 7, 31), () => left-- > 0).catch((error) => {
        if (!(error instanceof Killed)) throw error;
      });
    }
    expect(deleted).toEqual(['2018.07']);
    // One more for each kill between a comparison and its note.
    expect(checked.length).toBeLessThan(2 * hours.length);
    expect(new Set(checked).size).toBe(hours.length);
  });

  it('checks a month again whose ticks came back', async () => {
    const hourMs = Date.UTC(2018, 6, 5, 7);
    const { run, checked } = world({ ticks: [count(hourMs, 2)], samples: [count(hourMs, 2)] });
    await run(Date.UTC(2018, 7, 31));
    await run(Date.UTC(2018, 7, 31));
    expect(checked).toEqual([hourMs, hourMs]);
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
