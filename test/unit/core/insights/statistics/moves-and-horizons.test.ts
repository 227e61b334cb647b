import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeChanges, exceedancesOf } from '../../../../../core/insights/exceedances.ts';
import { horizonReturns, wilson } from '../../../../../core/insights/statistics/horizons.ts';
import { moveTiming } from '../../../../../core/insights/statistics/move-timing.ts';
import { movesOf } from '../../../../../core/market/directional-change.ts';
import { HOUR_MS } from '../../../../../core/market/time.ts';
import { flat, hourMs, hours, recorded } from '../sample-candles.ts';
import { EVER, linked, scaled, someHours } from './candles.ts';

const H1 = { text: '1h', ms: HOUR_MS };
const H4 = { text: '4h', ms: 4 * HOUR_MS };
const D1 = { text: '24h', ms: 24 * HOUR_MS };

describe('the timing of moves', () => {
  const path = [100, 111, 99, 120, 105, 140].map((price, hour) => [hourMs(hour * hour), price] as const);
  const rises = movesOf(path, 0.1).filter(({ direction }) => direction === 'rise');

  it('reports the waits between confirmations, the durations and how far moves overshot', () => {
    // Rises are confirmed at hours 1, 9 and 25, and complete from 0 to 1 and from 4 to 9.
    expect(moveTiming(rises, 0.1, hourMs(30))).toEqual({
      medianWaitHours: 12,
      p90WaitHours: expect.closeTo(15.2, 12),
      medianDurationHours: 3,
      meanOvershoot: expect.closeTo((0.11 - 0.1 + (120 / 99 - 1 - 0.1)) / 2, 12),
      hoursSinceLast: 5,
    });
  });

  it('is unknown without moves', () => {
    expect(moveTiming([], 0.1, hourMs(30))).toEqual({
      medianWaitHours: null,
      p90WaitHours: null,
      medianDurationHours: null,
      meanOvershoot: null,
      hoursSinceLast: null,
    });
  });
});

describe('the returns over a horizon', () => {
  it('are those between closes at multiples of it, none overlapping', () => {
    const candles = [100, 1, 1, 110, 1, 1, 1, 99, 1, 1, 1, 104].map((price, hour) => flat(hour, price));
    const { n, thresholds } = horizonReturns(candles, EVER, H4, [0.05, 0.1]);
    // 00:00 has no close before; 110 to 99 is −10 %, 99 to 104 is +5.05 %.
    expect(n).toBe(2);
    expect(thresholds).toMatchObject([
      { threshold: 0.05, up: 1, down: 1, upShare: 0.5 },
      { threshold: 0.1, up: 0, down: 1 },
    ]);
  });

  it('need both closes, and belong to the window that the later one lies in', () => {
    const candles = [0, 1, 2, 4, 5].map((hour) => flat(hour, 100 + hour));
    expect(horizonReturns(candles, EVER, H1, [0.01]).n).toBe(3);
    expect(horizonReturns(candles, hours(1, 3), H1, [0.01]).n).toBe(2);
    expect(horizonReturns(candles, hours(3, 5), H1, [0.01]).n).toBe(0);
  });

  it('tell what was touched in between', () => {
    const candles = [
      flat(3, 100),
      recorded(4, [100, 112, 99, 101]),
      flat(5, 101),
      flat(6, 101),
      recorded(7, [101, 102, 88, 100]),
    ];
    expect(horizonReturns(candles, EVER, H4, [0.1]).thresholds).toMatchObject([
      { up: 0, down: 0, touchedUp: 1, touchedDown: 1, touchedUpShare: 1, touchedDownShare: 1 },
    ]);
  });

  it('are read from daily candles where a day is long enough', () => {
    const days = [100, 111, 99].map((price, day) => flat(day * 24, price, 24));
    expect(horizonReturns(days, EVER, D1, [0.1])).toMatchObject({ n: 2, thresholds: [{ up: 1, down: 1 }] });
    expect(horizonReturns(days, EVER, H4, [0.1])).toMatchObject({ n: 0, thresholds: [{ upShare: null }] });
  });

  it('over one hour are the hours that exceed the threshold', () => {
    fc.assert(
      fc.property(someHours, fc.constantFrom(0.01, 0.05, 0.5), (candles, threshold) => {
        const { hoursUp, hoursDown } = exceedancesOf(closeChanges(candles, EVER), threshold);
        const [found] = horizonReturns(candles, EVER, H1, [threshold]).thresholds;
        expect([found?.up, found?.down]).toEqual([hoursUp, hoursDown]);
      }),
    );
  });

  it('add up over the parts of a window, and touch at least as often as they close there', () => {
    fc.assert(
      fc.property(someHours, fc.integer({ min: 0, max: 2_000 }), (candles, cut) => {
        const ask = (from: number, to: number) => horizonReturns(candles, hours(from, to), H4, [0.1]);
        const [whole, before, after] = [ask(-100, 9_999), ask(-100, cut), ask(cut, 9_999)];
        expect(before.n + after.n).toBe(whole.n);
        const [one] = whole.thresholds;
        expect(one?.touchedUp).toBeGreaterThanOrEqual(one?.up ?? 0);
        expect(one?.touchedDown).toBeGreaterThanOrEqual(one?.down ?? 0);
      }),
    );
  });

  it('count every exact step of a threshold, at any scale', () => {
    for (let permille = 1; permille <= 1_500; permille += 1) {
      const threshold = permille / 1_000;
      for (const factor of [1e-9, 1, 1e9]) {
        const up = linked(scaled([flat(0, 1_000), flat(1, 1_000 + permille)], factor));
        expect(horizonReturns(up, EVER, H1, [threshold]).thresholds[0]?.up).toBe(1);
        if (permille >= 1_000) continue;
        const down = linked(scaled([flat(0, 1_000), flat(1, 1_000 - permille)], factor));
        expect(horizonReturns(down, EVER, H1, [threshold]).thresholds[0]?.down).toBe(1);
      }
    }
  });
});

describe('the bounds of a share', () => {
  it('are Wilson’s, and stay within 0 and 1', () => {
    // Newcombe 1998, table I, method 3.
    const digits = ({ low, high }: ReturnType<typeof wilson>) => [low?.toFixed(4), high?.toFixed(4)];
    expect(digits(wilson(81, 263))).toEqual(['0.2553', '0.3662']);
    expect(digits(wilson(15, 148))).toEqual(['0.0624', '0.1605']);
    expect(digits(wilson(0, 20))).toEqual(['0.0000', '0.1611']);
    expect(digits(wilson(1, 29))).toEqual(['0.0061', '0.1718']);
    expect(wilson(0, 0)).toEqual({ share: null, low: null, high: null });
  });
});
