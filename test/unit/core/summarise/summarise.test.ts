import { describe, expect, it, vi } from 'vitest';
import { averageOfHours } from '../../../../core/insights/average.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { markStale } from '../../../../core/summarise/remake-moves.ts';
import type { SummarySettings } from '../../../../core/summarise/settings.ts';
import { summarise } from '../../../../core/summarise/summarise.ts';
import {
  BTC,
  countsOf,
  ETH,
  expectedDocuments,
  Killed,
  MemoryStore,
  MemoryTicks,
  SETTINGS,
  START_MS,
} from './in-memory.ts';

const at = (hour: number) => START_MS + hour * HOUR_MS;
const iso = (ms: number) => new Date(ms).toISOString();

interface Run extends Partial<SummarySettings> {
  hasTime?: () => boolean;
}

function bench(settings = SETTINGS) {
  const ticks = new MemoryTicks();
  const store = new MemoryStore();
  const counts = countsOf(ticks, store);
  const run = (nowHour: number, { hasTime = (): boolean => true, ...changed }: Run = {}) =>
    summarise(at(nowHour), { ticks, counts, store, settings: { ...settings, ...changed }, hasTime });
  return { ticks, store, counts, run };
}

/** Prices that rise and fall by some percent, so that every hour has moves. */
function wavy(hour: number): number[] {
  return [0, 1, 2, 3].map((poll) => 100 * (1 + 0.03 * Math.sin(hour * 1.7 + poll)));
}

/** Time for so many looks at the clock. */
function timeFor(looks: number): () => boolean {
  let left = looks;
  return () => {
    left -= 1;
    return left >= 0;
  };
}

describe('summarising ticks', () => {
  it('makes a candle for each closed hour, but not for the current one', async () => {
    const { ticks, store, run } = bench();
    ticks.addHour(BTC, 0, 100, 104, 98, 101);
    ticks.addHour(BTC, 1, 101, 102);
    ticks.addHour(BTC, 2, 99);
    const report = await run(2.5);
    expect(report).toMatchObject({ hours: 2, candles: 2, until: iso(at(2)), done: true });
    expect(store.documents().candles).toMatchObject([
      {
        startMs: at(0),
        open: 100,
        high: 104,
        low: 98,
        close: 101,
        mean: 100.75,
        samples: 4,
        source: 'ticks',
      },
      { startMs: at(1), open: 101, close: 102, samples: 2, log_return: Math.log(102 / 101) },
    ]);
  });

  it('does nothing without ticks', async () => {
    const { run, store } = bench();
    expect(await run(5)).toEqual({ hours: 0, candles: 0, moves: 0, seriesAgain: 0, done: true });
    expect(store.writes).toBe(0);
  });

  it('confirms a move that spans two hours', async () => {
    const { ticks, store, run } = bench();
    ticks.addHour(BTC, 0, 100, 103);
    ticks.addHour(BTC, 1, 101.5, 99);
    await run(2);
    expect(store.documents().moves).toMatchObject([
      {
        threshold: 0.01,
        direction: 'rise',
        from_price: 100,
        confirmed_price: 103,
        to_price: 103,
        size: 0.03,
      },
      {
        threshold: 0.01,
        direction: 'fall',
        from_price: 103,
        confirmed_price: 101.5,
        confirmed_time: iso(at(1)),
      },
    ]);
  });

  it('makes the same documents in many runs as in one', async () => {
    const { ticks, store, run } = bench();
    for (let hour = 0; hour < 30; hour += 1) {
      ticks.addHour(BTC, hour, ...wavy(hour));
      if (hour % 5 !== 2) ticks.addHour(ETH, hour, ...wavy(hour + 9));
      await run(hour + 1);
    }
    expect(store.documents()).toEqual(expectedDocuments(ticks, at(30)));
  });

  it('skips hours and years without ticks; moves span the gap, log returns do not', async () => {
    const { ticks, store, run } = bench();
    ticks.addHour(BTC, 0, 100);
    ticks.addHour(BTC, 30_000, 120);
    const report = await run(60_000);
    expect(report).toMatchObject({ hours: 2, until: iso(at(60_000)) });
    const { candles, moves } = store.documents();
    expect(candles.map(({ log_return }) => log_return)).toEqual([undefined, undefined]);
    expect(moves.map(({ threshold, from_time }) => [threshold, from_time])).toEqual([
      [0.01, iso(at(0))],
      [0.05, iso(at(0))],
    ]);
  });

  it('leaves the rest to the next run when its time is up', async () => {
    const { ticks, store, run } = bench();
    for (let hour = 0; hour < 10; hour += 1) ticks.addHour(BTC, hour, ...wavy(hour));
    const first = await run(10, { hasTime: timeFor(3) });
    expect(first).toMatchObject({ hours: 3, done: false, until: iso(at(3)) });
    const reports = [];
    do reports.push(await run(10, { hasTime: timeFor(3) }));
    while (!reports.at(-1)?.done && reports.length < 20);
    expect(reports.at(-1)?.done).toBe(true);
    expect(store.documents()).toEqual(expectedDocuments(ticks, at(10)));
  });

  it('makes the moves of a new series with its first hour, unless it has candles nobody remembers', async () => {
    const { ticks, store, run } = bench();
    for (let hour = 0; hour < 3; hour += 1) ticks.addHour(BTC, hour, ...wavy(hour));
    const read = vi.spyOn(store, 'candlesOf');
    expect(await run(2)).toMatchObject({ candles: 2, seriesAgain: 0 });
    expect(read).not.toHaveBeenCalled();
    store.state.clear();
    expect(await run(3)).toMatchObject({ candles: 1, seriesAgain: 1 });
    expect(store.documents()).toEqual(expectedDocuments(ticks, at(3)));
  });

  it('goes back to the first of the last 48 hours whose ticks have changed', async () => {
    const { ticks, store, run } = bench();
    for (let hour = 0; hour < 60; hour += 1) ticks.addHour(BTC, hour, ...wavy(hour));
    await run(60);
    ticks.addHour(BTC, 20, 80, 81, 82, 83, 84);
    ticks.addHour(ETH, 25, 50);
    const report = await run(61);
    expect(report).toMatchObject({ lateFrom: iso(at(20)), candles: 3, seriesAgain: 1, done: true });
    expect(store.documents()).toEqual(expectedDocuments(ticks, at(61)));
  });

  it('counts by series only in hours whose totals have changed', async () => {
    const { ticks, counts, run } = bench();
    for (let hour = 0; hour < 60; hour += 1) ticks.addHour(BTC, hour, ...wavy(hour));
    await run(60);
    const counted: number[] = [];
    const bySeries = counts.tickCounts;
    counts.tickCounts = (fromMs, toMs) => {
      counted.push(fromMs);
      return bySeries(fromMs, toMs);
    };
    ticks.addHour(BTC, 60, ...wavy(60));
    await run(61);
    await run(62);
    expect(counted).toEqual([]);
    ticks.addHour(BTC, 40, 80, 81, 82, 83, 84);
    expect(await run(62)).toMatchObject({ hours: 1, lateFrom: iso(at(40)) });
    await run(62);
    await run(62);
    expect(counted).toEqual([at(40), at(40)]);
  });

  it('finds late ticks although the hour has as many samples as ticks', async () => {
    const { ticks, store, run } = bench();
    ticks.addHour(BTC, 0, 100, 101, 102);
    ticks.addHour(ETH, 0, 10);
    await run(1);
    // As after a rebuild from a lake that has a tick which the index lacks.
    for (const candle of store.candles.values()) if (candle.symbol === 'BTCUSD') candle.samples += 1;
    await run(2);
    ticks.addHour(ETH, 0, 10, 11);
    expect(await run(2)).toMatchObject({ lateFrom: iso(at(0)), candles: 1 });
  });

  it('continues an hour with the markets that are left', async () => {
    const { ticks, store, run } = bench();
    const elsewhere = Array.from({ length: 5 }, (_, index) => ({ ...BTC, exchange: `exchange${index}` }));
    for (const series of [BTC, ...elsewhere]) ticks.addHour(series, 0, ...wavy(0));
    const read: string[] = [];
    const ticksOf = ticks.ticksOf.bind(ticks);
    ticks.ticksOf = async (hourMs, market) => {
      read.push(market.exchange);
      return ticksOf(hourMs, market);
    };
    const until = [];
    do until.push(await run(1, { hasTime: timeFor(2) }));
    while (!until.at(-1)?.done && until.length < 10);
    expect(until.length).toBeGreaterThan(2);
    expect(until.filter(({ hours }) => hours === 1)).toHaveLength(1);
    // One a run may be read again, if it was not noted before the time ran out.
    expect(read.length).toBeLessThan(6 + until.length);
    expect(store.candles.size).toBe(6);
    // What came to a market that was done by then is late.
    ticks.addHour(BTC, 0, 1, 2, 3, 4, 5);
    expect(await run(1)).toMatchObject({ lateFrom: iso(at(0)), candles: 1 });
  });

  it('removes moves that late ticks make obsolete', async () => {
    const { ticks, store, run } = bench();
    ticks.addHour(BTC, 0, 100);
    ticks.addHour(BTC, 1, 104);
    ticks.addHour(BTC, 2, 104.5);
    await run(3);
    expect(store.documents().moves).toMatchObject([{ direction: 'rise', from_time: iso(at(0)) }]);
    ticks.addHour(BTC, 0, 100, 110);
    await run(3);
    expect(store.documents()).toEqual(expectedDocuments(ticks, at(3)));
    expect(store.documents().moves.map(({ direction }) => direction)).toEqual([
      'rise',
      'fall',
      'rise',
      'fall',
    ]);
  });

  it('looks further back than 48 hours only on request', async () => {
    const { ticks, store, run } = bench();
    for (let hour = 0; hour < 60; hour += 1) ticks.addHour(BTC, hour, ...wavy(hour));
    await run(60);
    ticks.addHour(BTC, 3, 80, 81, 82, 83, 84);
    expect(await run(60)).not.toHaveProperty('lateFrom');
    await markStale(store, at(3));
    await store.setSummarisedUntil(at(3));
    await run(60);
    expect(store.documents()).toEqual(expectedDocuments(ticks, at(60)));
  });

  it('keeps the candles of deleted ticks', async () => {
    const { ticks, store, run } = bench();
    for (let hour = 0; hour < 10; hour += 1) ticks.addHour(BTC, hour, ...wavy(hour));
    await run(10);
    const before = store.documents();
    ticks.removeBefore(at(8));
    await markStale(store, at(0));
    await store.setSummarisedUntil(at(0));
    await run(10);
    expect(store.documents()).toEqual(before);
  });

  it('writes nothing if nothing is new', async () => {
    const { ticks, store, run } = bench();
    for (let hour = 0; hour < 10; hour += 1) ticks.addHour(BTC, hour, ...wavy(hour));
    await run(10);
    const { writes } = store;
    expect(await run(10)).toMatchObject({ hours: 0, candles: 0, moves: 0, done: true });
    expect(store.writes).toBe(writes);
  });

  it('makes the moves of a series without new candles again when the thresholds change', async () => {
    const { ticks, store, run } = bench();
    for (let hour = 0; hour < 8; hour++) ticks.addHour(ETH, hour, ...wavy(hour));
    await run(8);
    const settings = { ...SETTINGS, thresholds: [0.02, 0.04] };
    expect(await run(8, settings)).toMatchObject({ hours: 0, candles: 0, seriesAgain: 1, done: true });
    expect(store.documents().moves).toEqual(expectedDocuments(ticks, at(8), [], settings).moves);
    expect(await run(8, settings)).toMatchObject({ moves: 0, seriesAgain: 0 });
  });

  it('makes all moves again when the thresholds change', async () => {
    const { ticks, store, run } = bench();
    for (let hour = 0; hour < 10; hour += 1) ticks.addHour(BTC, hour, ...wavy(hour));
    await run(9);
    await run(10, { thresholds: [0.02] });
    const settings = { ...SETTINGS, thresholds: [0.02] };
    expect(store.documents()).toEqual(expectedDocuments(ticks, at(10), [], settings));
  });

  it('keeps the polls due and the coverage of earlier hours when the sampling interval changes', async () => {
    const { ticks, store, run } = bench({ ...SETTINGS, samplingIntervals: { default: 600_000 } });
    for (const hour of [0, 1]) ticks.addHour(BTC, hour, 100, 101, 102);
    await run(2);
    const window = { fromMs: at(0), toMs: at(2) };
    const before = store.documents();
    const coverage = averageOfHours(before.candles, window, 600_000)?.coverage;
    expect(coverage).toBe(0.5);

    const hourly = { samplingIntervals: { default: HOUR_MS } };
    ticks.addHour(BTC, 0, 100, 101, 102, 103);
    ticks.addHour(BTC, 2, 100);
    await run(3, hourly);
    const after = store.documents();
    expect(after.candles.map(({ polls_due }) => polls_due)).toEqual([6, 6, 1]);
    expect(after.candles[1]).toMatchObject({ ...before.candles[1], log_return: expect.any(Number) });
    expect(averageOfHours(after.candles, window, HOUR_MS)?.coverage).toBe(7 / 12);
    expect(averageOfHours(after.candles, { ...window, toMs: at(3) }, HOUR_MS)?.coverage).toBe(8 / 13);
  });

  it('makes moves from all candles if the ledgers are lost', async () => {
    const { ticks, store, run } = bench();
    for (let hour = 0; hour < 10; hour += 1) ticks.addHour(BTC, hour, ...wavy(hour));
    await run(9);
    store.state.clear();
    await run(10);
    expect(store.documents()).toEqual(expectedDocuments(ticks, at(10)));
  });

  it('walks candles that lie between the ledger and the next hour, whoever wrote them', async () => {
    const { ticks, store, run } = bench();
    for (const hour of [0, 1, 2, 3]) ticks.addHour(BTC, hour, ...wavy(hour));
    await run(1);
    const before = structuredClone([...store.state]);
    await run(3);
    // As if a writer had been killed, or had lost the lease, before its last write.
    for (const [series, ledger] of before) store.state.set(series, ledger);
    await run(4);
    expect(store.documents()).toEqual(expectedDocuments(ticks, at(4)));
  });

  it('reports its progress even if it fails later', async () => {
    const { ticks, store, counts } = bench();
    for (const hour of [0, 1, 2]) ticks.addHour(BTC, hour, ...wavy(hour));
    const told: object[] = [];
    const ticksOf = ticks.ticksOf.bind(ticks);
    ticks.ticksOf = async (hourMs, market) => {
      if (hourMs === at(2)) throw new Error('OpenSearch is away');
      return ticksOf(hourMs, market);
    };
    const onProgress = (soFar: object) => told.push(soFar);
    await expect(
      summarise(at(3), { ticks, counts, store, settings: SETTINGS, hasTime: () => true, onProgress }),
    ).rejects.toThrow('OpenSearch is away');
    expect(told).toMatchObject([
      { hours: 1, candles: 1 },
      { hours: 2, candles: 2 },
    ]);
  });

  it('makes the same documents if it is killed at any write and run again', async () => {
    const prepare = () => {
      const made = bench();
      for (let hour = 0; hour < 6; hour += 1) {
        made.ticks.addHour(BTC, hour, ...wavy(hour));
        if (hour !== 3) made.ticks.addHour(ETH, hour, ...wavy(hour + 4));
      }
      return made;
    };
    const late = (ticks: MemoryTicks) => {
      ticks.addHour(BTC, 1, 80, 81, 82, 83, 84);
      ticks.addHour(BTC, 6, ...wavy(6));
    };
    const unharmed = prepare();
    await unharmed.run(6);
    late(unharmed.ticks);
    await unharmed.run(7);
    expect(unharmed.store.documents()).toEqual(expectedDocuments(unharmed.ticks, at(7)));

    for (let killAt = 1; killAt <= unharmed.store.writes; killAt += 1) {
      const { ticks, store, run } = prepare();
      store.killAt = killAt;
      let isLate = false;
      const both = async () => {
        await run(6);
        if (!isLate) late(ticks);
        isLate = true;
        await run(7);
      };
      await expect(both()).rejects.toThrow(Killed);
      store.killAt = Number.POSITIVE_INFINITY;
      await both();
      expect(store.documents()).toEqual(unharmed.store.documents());
    }
  });
});
