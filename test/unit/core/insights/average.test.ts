import { describe, expect, it } from 'vitest';
import { averageOver } from '../../../../core/insights/average.ts';
import { MINUTE_MS } from '../../../../core/market/time.ts';
import { InMemoryStore } from './in-memory-store.ts';
import { flat, hourMs, hours, iso, recorded, SERIES, ticked, ticksOf } from './sample-candles.ts';

const ticks = (hour: number, prices: number[]) =>
  ticksOf(hour, prices).map((tick) => ({ ...tick, series: SERIES }));
const ask = (store: InMemoryStore, window: { fromMs: number; toMs: number }) =>
  averageOver(store, SERIES, window, 900_000);

const allMissing = (hours: number) => ({
  ...{ hours, missing: hours, notListed: 0, exchangeDown: 0, beforeFirstPoll: 0, afterLastPoll: 0 },
});

describe('the average price over hours', () => {
  it('is the mean of the hourly means: every hour with data counts once', async () => {
    const store = new InMemoryStore([recorded(0, [10, 14, 8, 12]), flat(2, 20), flat(60, 99)]);
    expect(await ask(store, hours(0, 50))).toEqual({
      from: iso(hourMs(0)),
      to: iso(hourMs(50)),
      mean: (11 + 20) / 2,
      min: 8,
      max: 20,
      first: 10,
      last: 20,
      change: 1,
      hours: 2,
      expectedHours: 50,
      coverage: 0.04,
      priceQuantiles: { 5: 11, 25: 11, 50: 11, 75: 20, 95: 20 },
      shareBelowLast: 0.5,
      vwap: null,
      dca: { hourly: expect.closeTo(2 / (1 / 11 + 1 / 20), 12), daily: 10, weekly: 10 },
      returns: 0,
      longestGapHours: 47,
      staleHours: 0,
      sources: { ticks: 0, hourly: 1, daily: 0 },
      samplingIntervalSeconds: 900,
      samplingIntervalSecondsBySource: { hourly: 900 },
      withoutData: allMissing(48),
    });
  });

  it('counts an hour once, regardless of how many samples it has', async () => {
    const store = new InMemoryStore([ticked(0, [1]), ticked(1, [4, 4, 4, 4])]);
    expect(await ask(store, hours(0, 100))).toMatchObject({ mean: 2.5, hours: 2 });
  });

  it('counts a daily candle 24 times', async () => {
    const store = new InMemoryStore([flat(0, 10, 24), flat(24, 34)]);
    expect(await ask(store, hours(0, 50))).toMatchObject({ mean: (24 * 10 + 34) / 25, hours: 25 });
  });

  it('covers the whole hours that the window touches', async () => {
    const store = new InMemoryStore([flat(0, 1), flat(1, 2), flat(100, 3)]);
    const window = { fromMs: hourMs(1) + 10 * MINUTE_MS, toMs: hourMs(100) + MINUTE_MS };
    expect(await ask(store, window)).toMatchObject({
      from: iso(hourMs(1)),
      to: iso(hourMs(101)),
      mean: 2.5,
      expectedHours: 100,
    });
  });

  it('includes candles that start in the window, excluding its end', async () => {
    const store = new InMemoryStore([flat(0, 1), flat(50, 3)]);
    expect(await ask(store, hours(0, 50))).toMatchObject({ mean: 1, hours: 1 });
  });

  it('uses ticks for hours without a candle, unfinished or missed', async () => {
    const store = new InMemoryStore(
      [flat(0, 1), flat(1, 2), flat(3, 4)],
      [...ticks(1, [100, 100]), ...ticks(2, [3, 5]), ...ticks(4, [6])],
    );
    expect(await ask(store, hours(0, 50))).toMatchObject({
      mean: (1 + 2 + 4 + 4 + 6) / 5,
      max: 6,
      last: 6,
      hours: 5,
    });
  });

  it('ignores ticks of a day that a daily candle covers', async () => {
    const store = new InMemoryStore([flat(0, 1, 24), flat(24, 2), flat(26, 3)], ticks(5, [100]));
    expect(await ask(store, hours(3, 60))).toMatchObject({ max: 3, hours: 2 });
  });

  it('reads no ticks of hours that have a candle', async () => {
    const prices = [1, 1, 1, 1];
    const all = Array.from({ length: 60 }, (_, hour) => hour);
    const candles = all.filter((hour) => hour !== 30).map((hour) => ticked(hour, prices));
    const store = new InMemoryStore(
      candles,
      [...all, 60].flatMap((hour) => ticks(hour, prices)),
    );
    expect(await ask(store, hours(0, 70))).toMatchObject({ hours: 61 });
    expect(store.asked).toEqual([hours(-1, 0), hours(30, 31), hours(60, 70)]);
  });
});

describe('the average price over up to 48 hours of ticks', () => {
  it('is the mean of the samples between the exact edges', async () => {
    const store = new InMemoryStore([ticked(0, [1, 2, 3, 4]), ticked(1, [5, 6])]);
    const window = { fromMs: hourMs(0) + 15 * MINUTE_MS, toMs: hourMs(1) + 30 * MINUTE_MS };
    expect(await ask(store, window)).toEqual({
      from: iso(window.fromMs),
      to: iso(window.toMs),
      mean: (2 + 3 + 4 + 5) / 4,
      min: 2,
      max: 5,
      first: 2,
      last: 5,
      change: 1.5,
      hours: 1.25,
      expectedHours: 1.25,
      coverage: 4 / 5,
      // Of the samples between the edges: the hours' means are 3 and 5, and the day opens at 2.
      priceQuantiles: { 5: 3, 25: 3, 50: 3, 75: 5, 95: 5 },
      shareBelowLast: 0.5,
      vwap: null,
      dca: { hourly: expect.closeTo(2 / (1 / 3 + 1 / 5), 12), daily: 2, weekly: 2 },
      returns: 1,
      longestGapHours: 0,
      staleHours: 0,
      sources: { ticks: 1, hourly: 0, daily: 0 },
      samplingIntervalSeconds: 900,
      samplingIntervalSecondsBySource: { ticks: 900 },
      withoutData: allMissing(0),
    });
  });

  it('measures coverage by the polls due in each hour, as its candle recorded them', async () => {
    const everyMinute = (hour: number) => ({ ...ticked(hour, [1, 2, 3]), polls_due: 60 });
    const quarter = ticked(3, [4, 5, 6, 7]);
    const coverage = async (from: number, to: number) =>
      (await ask(new InMemoryStore([everyMinute(0), everyMinute(1), quarter]), hours(from, to))).coverage;
    expect(await coverage(0, 2)).toBe(6 / 120);
    expect(await coverage(0, 1.5)).toBe(5 / 90);
    // Hour 2 has no data: as many polls were due as in hour 1.
    expect(await coverage(0, 4)).toBe(10 / 184);
    expect(await coverage(3, 4)).toBe(1);
  });

  it('has one sample as its first, last, lowest and highest price', async () => {
    const store = new InMemoryStore([], ticks(0, [7]));
    expect(await ask(store, hours(0, 1))).toMatchObject({
      mean: 7,
      min: 7,
      max: 7,
      first: 7,
      last: 7,
      change: 0,
      coverage: 0.25,
    });
  });

  it('may be of more samples than a function takes arguments', async () => {
    const second = (index: number) => ({ slotMs: hourMs(0) + index * 1_000, price: 5 + (index % 2) });
    const many = Array.from({ length: 48 * 3_600 }, (_, index) => ({ ...second(index), series: SERIES }));
    const average = await averageOver(new InMemoryStore([], many), SERIES, hours(0, 48), 1_000);
    expect(average).toMatchObject({ mean: 5.5, min: 5, max: 6, coverage: 1 });
  });

  it('covers whole hours if one of them is backfilled', async () => {
    const store = new InMemoryStore([ticked(0, [1, 2, 3, 4]), flat(1, 10)]);
    const window = { fromMs: hourMs(0) + 15 * MINUTE_MS, toMs: hourMs(1) + 30 * MINUTE_MS };
    expect(await ask(store, window)).toMatchObject({
      from: iso(hourMs(0)),
      to: iso(hourMs(2)),
      mean: (2.5 + 10) / 2,
      coverage: 1,
    });
  });
});

describe('a window without data', () => {
  it('is an error that says which range has data', async () => {
    const store = new InMemoryStore([flat(0, 1), flat(9, 1)]);
    for (const window of [hours(10, 20), hours(10, 100)]) {
      await expect(ask(store, window)).rejects.toMatchObject({
        name: 'NoAnswerError',
        reason: 'noData',
        message: expect.stringMatching(
          /^recorded:spot:BTCUSD has no data from 2018-03-01 10:00 to .* UTC; it has data from 2018-03-01 00:00 to 2018-03-01 10:00 UTC\.$/,
        ),
      });
    }
  });

  it('can also lie between two samples', async () => {
    const store = new InMemoryStore([ticked(0, [1, 2, 3, 4])]);
    const window = { fromMs: hourMs(0) + MINUTE_MS, toMs: hourMs(0) + 14 * MINUTE_MS };
    await expect(ask(store, window)).rejects.toMatchObject({ reason: 'noData' });
  });
});
