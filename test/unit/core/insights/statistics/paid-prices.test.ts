import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paidPrices } from '../../../../../core/insights/statistics/paid-prices.ts';
import { candleFromHistory } from '../../../../../core/market/candle.ts';
import { flat, hourMs, SERIES } from '../sample-candles.ts';
import { scaled, someHours } from './candles.ts';

const traded = (hour: number, price: number, volume?: number, turnover?: number) =>
  candleFromHistory(
    SERIES,
    {
      ...{ startMs: hourMs(hour), open: price, high: price * 1.5, low: price / 2, close: price },
      ...{ volume, turnover },
    },
    1,
  );

describe('the prices paid', () => {
  it('have quantiles that are prices of the hours, each counted by its hours', () => {
    const { priceQuantiles } = paidPrices([flat(0, 10, 24), flat(24, 30), flat(25, 20)], 1);
    expect(priceQuantiles).toEqual({ 5: 10, 25: 10, 50: 10, 75: 10, 95: 20 });
    const even = [1, 2, 3, 4].map((price) => flat(price, price));
    expect(paidPrices(even, 1).priceQuantiles).toEqual({ 5: 1, 25: 1, 50: 2, 75: 3, 95: 4 });
  });

  it('say which part of the hours was cheaper than the last price', () => {
    expect(paidPrices([flat(0, 10, 24), flat(24, 20), flat(25, 15)], 15).shareBelowLast).toBe(24 / 26);
    expect(paidPrices([flat(0, 15)], 15).shareBelowLast).toBe(0);
  });

  it('are weighted by what was traded', () => {
    const { vwap } = paidPrices([traded(0, 10, 3, 33), traded(1, 20, 1, 21), traded(2, 99)], 1);
    expect(vwap).toEqual({ price: (33 + 21) / 4, volumeCoverage: 2 / 3 });
  });

  it('use the typical price where only the volume is known', () => {
    const typical = (15 + 5 + 10) / 3;
    expect(paidPrices([traded(0, 10, 3), traded(1, 20, 1, 21)], 1).vwap).toEqual({
      price: (typical * 3 + 21) / 4,
      volumeCoverage: 1,
    });
  });

  it('have no volume-weighted price without a volume', () => {
    expect(paidPrices([traded(0, 10), traded(1, 20, 0)], 1).vwap).toBeNull();
  });

  it('tell what it costs to spend the same amount each hour, day and week', () => {
    // 2018-03-01 is a Thursday; the next Monday starts after 96 hours.
    const candles = [flat(5, 10), flat(6, 40), flat(24, 20), flat(95, 50), flat(96, 30)];
    const { dca } = paidPrices(candles, 1);
    expect(dca.hourly).toBeCloseTo(5 / (1 / 10 + 1 / 40 + 1 / 20 + 1 / 50 + 1 / 30), 12);
    expect(dca.daily).toBeCloseTo(4 / (1 / 10 + 1 / 20 + 1 / 50 + 1 / 30), 12);
    expect(dca.weekly).toBeCloseTo(2 / (1 / 10 + 1 / 30), 12);
  });

  it('scale with the prices, however small or large', () => {
    fc.assert(
      fc.property(someHours, fc.constantFrom(1e-9, 1e9), (candles, factor) => {
        const [here, there] = [paidPrices(candles, 120), paidPrices(scaled(candles, factor), 120 * factor)];
        expect(there.shareBelowLast).toBeCloseTo(here.shareBelowLast, 1);
        for (const percent of [5, 50, 95]) {
          const quantile = (there.priceQuantiles[percent] ?? 0) / factor;
          expect(quantile / (here.priceQuantiles[percent] ?? 0)).toBeCloseTo(1, 9);
        }
        for (const each of ['hourly', 'daily', 'weekly'] as const) {
          expect(there.dca[each] / factor / here.dca[each]).toBeCloseTo(1, 9);
        }
      }),
    );
  });

  it('lie between the lowest and the highest price, and buying regularly costs no more than the mean', () => {
    fc.assert(
      fc.property(someHours, (candles) => {
        const { vwap, dca, priceQuantiles } = paidPrices(candles, 1);
        const [low, high] = [
          Math.min(...candles.map((each) => each.low)),
          Math.max(...candles.map((each) => each.high)),
        ];
        const mean = candles.reduce((sum, each) => sum + each.mean, 0) / candles.length;
        for (const price of [...Object.values(priceQuantiles), vwap?.price ?? low, ...Object.values(dca)]) {
          expect(price).toBeGreaterThanOrEqual(low * (1 - 1e-12));
          expect(price).toBeLessThanOrEqual(high * (1 + 1e-12));
        }
        expect(dca.hourly).toBeLessThanOrEqual(mean * (1 + 1e-12));
      }),
    );
  });
});
