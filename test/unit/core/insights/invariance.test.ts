import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { averageOfHours } from '../../../../core/insights/average.ts';
import { movesOfHours } from '../../../../core/insights/moves.ts';
import { volatilityOfHours } from '../../../../core/insights/volatility.ts';
import type { Candle } from '../../../../core/market/candle.ts';
import { movesOf } from '../../../../core/market/directional-change.ts';
import { DAY_MS } from '../../../../core/market/time.ts';
import { flat, hourMs, hours, recorded, ticked, withReturns } from './sample-candles.ts';

const LENGTH = 60;
const THRESHOLD = 0.05;
const price = fc.integer({ min: 80, max: 120 });
const hour = fc.option(
  fc.oneof(
    fc.array(price, { minLength: 1, maxLength: 4 }).map((prices) => ({ kind: 'ticks', prices }) as const),
    fc.tuple(price, price, price, price).map((prices) => ({ kind: 'candle', prices }) as const),
    price.map((one) => ({ kind: 'flat', prices: [one] }) as const),
  ),
);
const market = fc.array(hour, { minLength: LENGTH, maxLength: LENGTH }).map((all) =>
  withReturns(
    all.flatMap((one, at): Candle[] => {
      if (one === null) return [];
      if (one.kind === 'ticks') return [ticked(at, one.prices)];
      if (one.kind === 'flat') return [flat(at, one.prices[0])];
      const [open, , , close] = one.prices;
      return [recorded(at, [open, Math.max(...one.prices), Math.min(...one.prices), close])];
    }),
  ),
);
const options = { thresholds: [THRESHOLD], samplingIntervalMs: 900_000 };
const counts = (candles: Candle[], from: number, to: number) => {
  const one = movesOfHours(candles, hours(from, to), options)?.thresholds[0];
  return {
    rises: one?.rises.count ?? 0,
    falls: one?.falls.count ?? 0,
    hoursUp: one?.hoursUp ?? 0,
    hoursDown: one?.hoursDown ?? 0,
    daysUp: one?.daysUp ?? 0,
    daysDown: one?.daysDown ?? 0,
  };
};

describe('the answers', () => {
  it('of two windows that meet add up to those of both', () => {
    fc.assert(
      fc.property(market, fc.integer({ min: 1, max: LENGTH - 1 }), (candles, cut) => {
        const [before, after] = [counts(candles, 0, cut), counts(candles, cut, LENGTH)];
        const sum = Object.fromEntries(
          Object.entries(before).map(([name, count]) => [name, count + after[name as keyof typeof after]]),
        );
        expect(sum).toEqual(counts(candles, 0, LENGTH));
      }),
    );
  });

  it('do not depend on the day', () => {
    fc.assert(
      fc.property(market, fc.integer({ min: 1, max: 400 }), (candles, days) => {
        const later = candles.map((candle) => ({ ...candle, startMs: candle.startMs + days * DAY_MS }));
        expect(counts(later, 24 * days, 24 * days + LENGTH)).toEqual(counts(candles, 0, LENGTH));
      }),
    );
  });

  it.each([1e-9, 1e9])('do not depend on the unit of prices: × %d', (unit) => {
    fc.assert(
      fc.property(market, (candles) => {
        fc.pre(candles.length > 0);
        const scaled = candles.map((candle) => ({
          ...candle,
          ...{ open: candle.open * unit, high: candle.high * unit, low: candle.low * unit },
          ...{ close: candle.close * unit, mean: candle.mean * unit },
          path: candle.path.map(([offsetMs, at]): [number, number] => [offsetMs, at * unit]),
        }));
        expect(counts(scaled, 0, LENGTH)).toEqual(counts(candles, 0, LENGTH));
        const [one, other] = [candles, scaled].map((each) => averageOfHours(each, hours(0, LENGTH), 900_000));
        expect(other?.change).toBeCloseTo(one?.change as number, 9);
        expect((other?.mean as number) / (one?.mean as number) / unit).toBeCloseTo(1, 9);
        const volatilities = [candles, scaled].map((each) => volatilityOfHours(withReturns(each)));
        expect(volatilities[1]?.rangeFraction).toBeCloseTo(volatilities[0]?.rangeFraction as number, 9);
        if (volatilities[0]?.volatility !== null) {
          expect(volatilities[1]?.volatility).toBeCloseTo(volatilities[0]?.volatility as number, 9);
        }
      }),
    );
  });

  it('about fewer ticks never count more moves', () => {
    const path = fc.array(fc.record({ price, kept: fc.boolean() }), { maxLength: 80 });
    fc.assert(
      fc.property(path, fc.constantFrom(0.01, 0.05, 0.1), (all, threshold) => {
        const points = all.map(({ price: at }, index): [number, number] => [hourMs(index), at]);
        const thinned = points.filter((_, index) => all[index]?.kept);
        expect(movesOf(thinned, threshold).length).toBeLessThanOrEqual(movesOf(points, threshold).length);
      }),
      { numRuns: 1_000 },
    );
  });
});
