import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { movesOfHours } from '../../../../core/insights/moves.ts';
import { movesInWindow, pathOf } from '../../../../core/insights/window-moves.ts';
import { candleFromTicks } from '../../../../core/market/candle.ts';
import { HOUR_MS, hourOf, MINUTE_MS } from '../../../../core/market/time.ts';
import { flat, hourMs, hours, iso, recorded, SERIES, START_MS, ticked } from './sample-candles.ts';

/** The answer for one threshold. */
const at = (threshold: number, candles: Parameters<typeof movesOfHours>[0], window = hours(0, 100)) =>
  movesOfHours(candles, window, { thresholds: [threshold], samplingIntervalMs: 900_000 })?.thresholds[0];

describe('the moves in a window', () => {
  it('follow the path of a backfilled hour: low first if it closes at or above its open', () => {
    // 100 → 80 → 120 → 110: a fall and a rise; 100 → 120 → 80 → 90: the other way round.
    expect(at(0.15, [recorded(0, [100, 120, 80, 110])])).toMatchObject({
      falls: { count: 1, last: { from_price: 100, confirmed_price: 80 } },
      rises: { count: 1, last: { from_price: 80, confirmed_price: 120 } },
    });
    expect(at(0.15, [recorded(0, [100, 120, 80, 90])])).toMatchObject({
      rises: { count: 1, last: { from_price: 100, confirmed_price: 120 } },
      falls: { count: 1, last: { from_price: 120, confirmed_price: 80 } },
    });
  });

  it('continue across hours and gaps', () => {
    const candles = [ticked(0, [100, 105]), ticked(1, [108, 112]), ticked(50, [100])];
    expect(at(0.1, candles)).toMatchObject({
      rises: { count: 1, last: { confirmed_time: iso(hourMs(1) + HOUR_MS / 2) } },
      falls: { count: 1, last: { from_price: 112, confirmed_time: iso(hourMs(50)) } },
    });
  });

  it('are counted when confirmed, although their size may come from after the window', () => {
    const candles = [flat(0, 100), flat(10, 120), flat(20, 150), flat(30, 100)];
    expect(at(0.1, candles, hours(10, 11))).toMatchObject({
      rises: { count: 1, perDay: 24, meanSize: 0.5, maxSize: 0.5 },
      falls: { count: 0, perDay: 0, meanSize: null, maxSize: null, last: null },
    });
    expect(at(0.1, candles, hours(20, 21))).toMatchObject({ rises: { count: 0 } });
  });

  it('start at the series’ first price, even before the window', () => {
    // From hour 10 on alone, 105 would be no fall of 10 % from anything.
    const candles = [flat(0, 120), flat(10, 110), flat(11, 105)];
    expect(at(0.1, candles, hours(10, 20))).toMatchObject({
      falls: { count: 1, last: { from_price: 120, from_time: iso(hourMs(0)) } },
    });
  });

  it('have the mean and largest size of the completed ones', () => {
    const candles = [100, 120, 90, 180, 90, 100].map((price, hour) => flat(hour, price));
    expect(at(0.15, candles)).toMatchObject({
      rises: { count: 2, meanSize: (0.2 + 1) / 2, maxSize: 1 },
      // The last fall is under way.
      falls: { count: 2, meanSize: 0.25, maxSize: 0.25, last: { from_price: 180 } },
    });
    expect(at(0.15, candles)?.falls.last).not.toHaveProperty('size');
  });

  it('are divided by the days of the window', () => {
    const candles = [flat(0, 100), flat(1, 120)];
    expect(at(0.1, candles, hours(0, 96))).toMatchObject({ rises: { count: 1, perDay: 0.25 } });
  });

  it('tell the time since the last until the end that was asked for, not that of its hour', () => {
    const candles = [flat(0, 100), flat(1, 120), flat(50, 120)];
    const asked = { fromMs: hourMs(0), toMs: hourMs(60) + 15 * MINUTE_MS };
    expect(at(0.1, candles, asked)).toMatchObject({ rises: { count: 1, hoursSinceLast: 59.25 } });
  });

  it('do not depend on how ticks are split into hours', () => {
    const ticks = fc.uniqueArray(
      fc.record({
        slotMs: fc.integer({ min: 0, max: 30 * HOUR_MS }).map((ms) => START_MS + ms),
        price: fc.double({ min: 90, max: 110, noNaN: true }),
      }),
      { selector: ({ slotMs }) => slotMs, minLength: 1, maxLength: 100 },
    );
    const window = { fromMs: START_MS, toMs: START_MS + 31 * HOUR_MS };
    fc.assert(
      fc.property(ticks, (given) => {
        const sorted = given.toSorted((a, b) => a.slotMs - b.slotMs);
        const candles = [...Map.groupBy(sorted, ({ slotMs }) => hourOf(slotMs))].map(([startMs, inHour]) =>
          candleFromTicks(SERIES, startMs, inHour),
        );
        const path = sorted.map(({ slotMs, price }): [number, number] => [slotMs, price]);
        expect([...pathOf(candles)]).toEqual(path);
        expect(movesInWindow(pathOf(candles), 0.02, window)).toEqual(movesInWindow(path, 0.02, window));
      }),
    );
  });
});

describe('the exceedances', () => {
  it('are hours that close at least the threshold above or below the previous one', () => {
    const candles = [100, 125, 124, 93].map((price, hour) => flat(hour, price));
    expect(at(0.25, candles)).toMatchObject({ hoursUp: 1, hoursDown: 1 });
    expect(at(0.2500001, candles)).toMatchObject({ hoursUp: 0, hoursDown: 0 });
  });

  it('leave out an hour whose predecessor is missing', () => {
    expect(at(0.1, [flat(0, 100), flat(2, 200)])).toMatchObject({ hoursUp: 0 });
  });

  it('compare the first hour with the one before the window', () => {
    const candles = [flat(9, 100), flat(10, 200)];
    expect(at(0.1, candles, hours(10, 20))).toMatchObject({ hoursUp: 1 });
    expect(at(0.1, candles, hours(9, 10))).toMatchObject({ hoursUp: 0 });
  });

  it('use the close of a day’s last hour with data, even after the window', () => {
    const candles = [flat(3, 100), flat(24, 100), flat(40, 150), flat(48, 150), flat(60, 75)];
    expect(at(0.5, candles, hours(0, 72))).toMatchObject({ daysUp: 1, daysDown: 1 });
    // The second day belongs to a window that holds its start, with the whole day's close.
    expect(at(0.5, candles, hours(20, 26))).toMatchObject({ daysUp: 1, daysDown: 0 });
    expect(at(0.5, candles, hours(25, 60))).toMatchObject({ daysUp: 0, daysDown: 1 });
  });

  it('leave out a day whose predecessor is missing', () => {
    expect(at(0.1, [flat(0, 100), flat(48, 200)])).toMatchObject({ daysUp: 0 });
  });

  it('of daily candles are only days', () => {
    expect(at(0.1, [flat(0, 100, 24), flat(24, 120, 24)])).toMatchObject({ hoursUp: 0, daysUp: 1 });
  });
});

describe('the answer about moves', () => {
  const sampling = (...candles: Parameters<typeof movesOfHours>[0]) =>
    movesOfHours(candles, hours(0, 100), { thresholds: [0.1], samplingIntervalMs: 120_000 })
      ?.samplingIntervalSeconds;

  it('has the longest interval between two prices', () => {
    expect(sampling(ticked(0, [1]))).toBe(120);
    expect(sampling({ ...ticked(0, [1]), polls_due: 1 })).toBe(3_600);
    expect(sampling(ticked(0, [1]), flat(1, 1))).toBe(900);
    expect(sampling(ticked(0, [1]), flat(24, 1, 24))).toBe(21_600);
  });

  it('is undefined if the window has no data', () => {
    expect(
      movesOfHours([flat(0, 1)], hours(10, 100), { thresholds: [0.1], samplingIntervalMs: 900_000 }),
    ).toBeUndefined();
    expect(
      movesOfHours(
        [ticked(0, [1])],
        { fromMs: START_MS + 1, toMs: START_MS + 9 },
        { thresholds: [0.1], samplingIntervalMs: 900_000 },
      ),
    ).toBeUndefined();
  });

  it('covers the exact window for up to 48 hours of ticks, otherwise whole hours', () => {
    const window = { fromMs: START_MS, toMs: START_MS + HOUR_MS / 2 };
    expect(
      movesOfHours([ticked(0, [1, 2, 3])], window, { thresholds: [0.1], samplingIntervalMs: 900_000 }),
    ).toMatchObject({
      to: iso(window.toMs),
      thresholds: [{ rises: { count: 1 } }],
    });
    expect(
      movesOfHours([flat(0, 1)], window, { thresholds: [0.1], samplingIntervalMs: 900_000 }),
    ).toMatchObject({ to: iso(hourMs(1)) });
  });
});
