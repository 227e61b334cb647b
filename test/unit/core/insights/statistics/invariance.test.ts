import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candleVolatility } from '../../../../../core/insights/statistics/candle-volatility.ts';
import { dayLongChanges } from '../../../../../core/insights/statistics/day-change.ts';
import { drawdownsOf } from '../../../../../core/insights/statistics/drawdown.ts';
import { horizonReturns, parseHorizon } from '../../../../../core/insights/statistics/horizons.ts';
import { paidPrices } from '../../../../../core/insights/statistics/paid-prices.ts';
import { periodReturns } from '../../../../../core/insights/statistics/period-returns.ts';
import { pathOf } from '../../../../../core/insights/window-moves.ts';
import { DAY_MS } from '../../../../../core/market/time.ts';
import { EVER, someHours } from './candles.ts';

const HORIZONS = ['1h', '4h', '24h', '7d'].map(parseHorizon);

describe('the statistics of a series', () => {
  it('do not change if all of it happens some weeks later', () => {
    fc.assert(
      fc.property(someHours, fc.integer({ min: 1, max: 500 }), (candles, weeks) => {
        const later = candles.map((one) => ({ ...one, startMs: one.startMs + weeks * 7 * DAY_MS }));
        const all = (of: typeof candles) => ({
          paid: paidPrices(of, 100),
          volatility: candleVolatility(of, EVER),
          changes: dayLongChanges(of, EVER),
          horizons: HORIZONS.map((horizon) => horizonReturns(of, EVER, horizon, [0.1])),
          days: periodReturns(of, EVER, 'day').periods.map((day) => [day.return, day.coverage]),
          deepest: drawdownsOf(pathOf(of))?.max?.fraction,
          daysUnderWater: drawdownsOf(pathOf(of))?.totalDaysUnderWater,
        });
        expect(all(later)).toEqual(all(candles));
      }),
    );
  });

  it('of a window are those of its hours, whatever lies around it', () => {
    fc.assert(
      fc.property(someHours, fc.integer({ min: 0, max: 119 }), (candles, at) => {
        const from = candles[Math.min(at, candles.length - 1)];
        const window = { ...EVER, fromMs: from?.startMs ?? 0 };
        const inside = candles.filter(({ startMs }) => startMs >= window.fromMs);
        const { parkinson, garmanKlass } = candleVolatility(candles, window);
        expect({ parkinson, garmanKlass }).toEqual({
          parkinson: candleVolatility(inside, EVER).parkinson,
          garmanKlass: candleVolatility(inside, EVER).garmanKlass,
        });
      }),
    );
  });
});

describe('drawdowns', () => {
  it('do not change if prices between two extremes are left out', () => {
    const prices = fc.array(fc.double({ min: 1, max: 100, noNaN: true }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(prices, (all) => {
        const path = all.map((price, index) => [index * DAY_MS, price] as const);
        const turns = path.filter(([, price], index) => {
          const [before, after] = [all[index - 1], all[index + 1]];
          return before === undefined || after === undefined || (price - before) * (after - price) <= 0;
        });
        const [whole, thinned] = [drawdownsOf(path), drawdownsOf(turns)];
        expect(thinned?.max?.fraction).toBe(whole?.max?.fraction);
        expect(thinned?.max?.troughTime).toBe(whole?.max?.troughTime);
        expect(thinned?.current).toBe(whole?.current);
      }),
    );
  });
});
