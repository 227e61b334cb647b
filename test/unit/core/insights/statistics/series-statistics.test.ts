import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candleVolatility } from '../../../../../core/insights/statistics/candle-volatility.ts';
import { correlationOf } from '../../../../../core/insights/statistics/correlation.ts';
import { dayLongChanges } from '../../../../../core/insights/statistics/day-change.ts';
import { dayChanges } from '../../../../../core/insights/statistics/days.ts';
import { drawdownsOf } from '../../../../../core/insights/statistics/drawdown.ts';
import { periodReturns, periodStart } from '../../../../../core/insights/statistics/period-returns.ts';
import { quantiles } from '../../../../../core/insights/statistics/quantiles.ts';
import { DAY_MS } from '../../../../../core/market/time.ts';
import { flat, hourMs, hours, iso } from '../sample-candles.ts';
import { EVER, linked, scaled, someHours } from './candles.ts';

const prices = (...all: number[]) => all.map((price, hour) => [hourMs(hour), price] as const);

describe('drawdowns', () => {
  it('last from a highest price to the first that is as high again', () => {
    const found = drawdownsOf(prices(90, 100, 80, 95, 100, 100, 110, 99, 60, 70));
    const first = {
      ...{ fraction: 80 / 100 - 1, peakPrice: 100, peakTime: iso(hourMs(1)), troughPrice: 80 },
      ...{ troughTime: iso(hourMs(2)), recoveredTime: iso(hourMs(4)) },
    };
    const deepest = {
      ...{ fraction: 60 / 110 - 1, peakPrice: 110, peakTime: iso(hourMs(6)), troughPrice: 60 },
      ...{ troughTime: iso(hourMs(8)), recoveredTime: null },
    };
    expect(found).toEqual({
      max: deepest,
      current: 70 / 110 - 1,
      daysUnderWater: 3 / 24,
      totalDaysUnderWater: 6 / 24,
      worst: [deepest, first],
    });
  });

  it('are none of a price that never fell', () => {
    const none = { max: null, current: 0, daysUnderWater: 0, totalDaysUnderWater: 0, worst: [] };
    expect(drawdownsOf(prices(1, 2, 2, 3))).toEqual(none);
    expect(drawdownsOf([])).toBeUndefined();
  });

  it('are as deep as the worst pair of an earlier and a later price, at any scale', () => {
    const path = fc.array(fc.double({ min: 1, max: 1_000, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(path, fc.constantFrom(1e-9, 1, 1e9), (all, factor) => {
        const found = drawdownsOf(prices(...all.map((price) => price * factor)));
        let deepest = 0;
        for (const [index, earlier] of all.entries()) {
          for (const later of all.slice(index)) deepest = Math.min(deepest, later / earlier - 1);
        }
        expect(found?.max?.fraction ?? 0).toBeCloseTo(deepest, 12);
        expect(found?.worst.length).toBeLessThanOrEqual(5);
        expect(found?.totalDaysUnderWater).toBeGreaterThanOrEqual(found?.daysUnderWater ?? 0);
      }),
    );
  });
});

describe('the returns of calendar periods', () => {
  it('compare each close with that of the period before, if it has data', () => {
    // 2018-03-01 to 03-03, and 03-05: the day between has no data.
    const candles = [flat(0, 90), flat(23, 100), flat(24, 105), flat(48, 210), flat(96, 100)];
    const { periods, best, worst, positiveShare } = periodReturns(candles, EVER, 'day');
    expect(periods).toEqual([
      { start: '2018-03-01T00:00:00.000Z', return: null, coverage: 2 / 24 },
      { start: '2018-03-02T00:00:00.000Z', return: expect.closeTo(0.05, 12), coverage: 1 / 24 },
      { start: '2018-03-03T00:00:00.000Z', return: 1, coverage: 1 / 24 },
      { start: '2018-03-05T00:00:00.000Z', return: null, coverage: 1 / 24 },
    ]);
    expect(best).toEqual({ start: '2018-03-03T00:00:00.000Z', return: 1 });
    expect(worst).toEqual({ start: '2018-03-02T00:00:00.000Z', return: expect.closeTo(0.05, 12) });
    expect(positiveShare).toBe(1);
  });

  it('are of periods that start in the window, each as a whole', () => {
    const candles = [flat(0, 100), flat(24, 110), flat(47, 121), flat(48, 130)];
    expect(periodReturns(candles, hours(24, 30), 'day').periods).toMatchObject([
      { start: iso(hourMs(24)), return: expect.closeTo(0.21, 12) },
    ]);
  });

  it('begin at UTC boundaries, also across years and leap days', () => {
    const ms = (text: string) => Date.parse(`${text}T00:00:00Z`);
    expect(periodStart(ms('2020-02-29') + 1, 'day', 1)).toBe(ms('2020-03-01'));
    expect(periodStart(ms('2020-01-31'), 'month', 1)).toBe(ms('2020-02-01'));
    expect(periodStart(ms('2020-01-31'), 'month', -1)).toBe(ms('2019-12-01'));
    expect(periodStart(ms('2020-12-31'), 'quarter', 1)).toBe(ms('2021-01-01'));
    expect(periodStart(ms('2020-05-31'), 'quarter')).toBe(ms('2020-04-01'));
    expect(periodStart(ms('2020-05-31'), 'year', -1)).toBe(ms('2019-01-01'));
  });

  it('of consecutive days compound to the change between the first and the last close', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1, max: 9, noNaN: true }), { minLength: 2 }), (closes) => {
        const candles = closes.map((price, day) => flat(24 * day, price, 24));
        const { periods } = periodReturns(candles, EVER, 'day');
        const compound = periods.reduce((product, each) => product * (1 + (each.return ?? 0)), 1);
        expect(compound / ((closes.at(-1) ?? 0) / (closes[0] ?? 1))).toBeCloseTo(1, 9);
      }),
    );
  });
});

describe('the estimates of volatility', () => {
  it('are all 0 for a price that stands still, and unknown without returns', () => {
    const still = linked(Array.from({ length: 72 }, (_, hour) => flat(hour, 5)));
    expect(candleVolatility(still, hours(24, 72))).toEqual({
      ...{ parkinson: 0, garmanKlass: 0, yangZhang: 0, realised: 0, ewma: 0, downside: 0, atrFraction: 0 },
    });
    expect(candleVolatility([flat(0, 5)], EVER)).toMatchObject({
      ...{ parkinson: 0, yangZhang: null, realised: null, ewma: null, downside: null, atrFraction: null },
    });
  });

  it('are the same at any scale', () => {
    fc.assert(
      fc.property(someHours, fc.constantFrom(1e-9, 1e9), (candles, factor) => {
        const [here, there] = [
          candleVolatility(candles, EVER),
          candleVolatility(scaled(candles, factor), EVER),
        ];
        for (const [name, value] of Object.entries(here)) {
          const other = there[name as keyof typeof there];
          if (value === null) expect(other).toBeNull();
          else expect(other).toBeCloseTo(value, 6);
        }
      }),
    );
  });

  it('of days count a day by the time that it covers', () => {
    const moving = [1, 2, 1, 2, 1, 2];
    const daily = linked(moving.map((price, day) => flat(24 * day, price, 24)));
    const hourly = linked(moving.map((price, hour) => flat(hour, price)));
    const [days, short] = [candleVolatility(daily, EVER), candleVolatility(hourly, EVER)];
    expect((short.realised ?? 0) / (days.realised ?? 1)).toBeCloseTo(Math.sqrt(24), 12);
    expect((short.yangZhang ?? 0) / (days.yangZhang ?? 1)).toBeCloseTo(Math.sqrt(24), 12);
  });
});

describe('a correlation', () => {
  it('is 1 with itself, −1 with its opposite, and unknown of a series that never changes', () => {
    const up = [0.1, -0.2, 0.3, 0.05];
    const { pearson, spearman, beta } = correlationOf([up, up.map((each) => -2 * each), [0, 0, 0, 0]]);
    expect(pearson[0]?.map((each) => each && Number(each.toFixed(12)))).toEqual([1, -1, null]);
    expect(spearman[0]?.map((each) => each && Number(each.toFixed(12)))).toEqual([1, -1, null]);
    expect(beta).toEqual([1, expect.closeTo(-2, 12), 0]);
  });
});

describe('the 24 h changes of candles', () => {
  it('need a close exactly 24 hours before', () => {
    const candles = [flat(0, 100), flat(1, 100), flat(24, 110), flat(26, 120), flat(49, 1)];
    expect(dayLongChanges(candles, EVER)).toEqual([110 / 100 - 1]);
    expect(dayLongChanges(candles, hours(0, 24))).toEqual([]);
  });

  it('of daily candles are those of their days', () => {
    const days = [flat(0, 100, 24), flat(24, 110, 24), flat(72, 120, 24)];
    expect(dayLongChanges(days, EVER)).toEqual([110 / 100 - 1]);
    expect(dayChanges(days, EVER).map(({ startMs }) => startMs)).toEqual([hourMs(0) + DAY_MS]);
  });
});

describe('quantiles', () => {
  it('interpolate between the nearest ranks', () => {
    expect(quantiles([4, 1, 3, 2], [0, 0.5, 0.9, 1])).toEqual([1, 2.5, expect.closeTo(3.7, 12), 4]);
    expect(quantiles([7], [0.5])).toEqual([7]);
    expect(quantiles([], [0.5])).toEqual([null]);
  });
});
