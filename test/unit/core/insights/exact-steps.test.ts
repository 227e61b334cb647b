import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { movesOfHours } from '../../../../core/insights/moves.ts';
import { type DetectedMove, movesOf } from '../../../../core/market/directional-change.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { flat, hourMs } from './sample-candles.ts';

const pathOf = (prices: readonly number[]) =>
  prices.map((price, hour): [number, number] => [hourMs(hour), price]);

/** What hourly closes of these prices count at one threshold. */
function countsOf(prices: readonly number[], threshold: number) {
  const candles = prices.map((price, hour) => flat(hour, price));
  const window = { fromMs: hourMs(0), toMs: hourMs(0) + prices.length * HOUR_MS };
  const answer = movesOfHours(candles, window, { thresholds: [threshold], samplingIntervalMs: HOUR_MS });
  const [counts] = answer?.thresholds ?? [];
  return {
    rises: counts?.rises.count,
    falls: counts?.falls.count,
    hoursUp: counts?.hoursUp,
    hoursDown: counts?.hoursDown,
  };
}

/** 100, and the price after each step. */
function pricesAfter(steps: readonly number[]): number[] {
  let price = 100;
  return [price, ...steps.map((step) => (price *= step))];
}

/** 0.1 % to 150 %, as a person writes them; a command line divides them by 100. */
const perMille = fc.integer({ min: 1, max: 1_500 });
const thresholdOf = (step: number) => step / 10 / 100;
/** `digits` × 10^exponent, as an exchange would print it. */
const decimal = (digits: number, exponent: number) => Number(`${digits}e${exponent}`);
const magnitude = fc.record({
  digits: fc.integer({ min: 1, max: 9_999_999 }),
  exponent: fc.integer({ min: -14, max: 5 }),
});

describe('a step of exactly the threshold', () => {
  it('up is a rise and an hour up', () => {
    fc.assert(
      fc.property(perMille, magnitude, (step, { digits, exponent }) => {
        const prices = [decimal(digits * 1_000, exponent), decimal(digits * (1_000 + step), exponent)];
        expect(countsOf(prices, thresholdOf(step))).toEqual({
          rises: 1,
          falls: 0,
          hoursUp: 1,
          hoursDown: 0,
        });
      }),
      { numRuns: 3_000 },
    );
  });

  it('down is a fall and an hour down', () => {
    fc.assert(
      fc.property(perMille, magnitude, (step, { digits, exponent }) => {
        fc.pre(step < 1_000);
        const prices = [decimal(digits * 1_000, exponent), decimal(digits * (1_000 - step), exponent)];
        expect(countsOf(prices, thresholdOf(step))).toEqual({
          rises: 0,
          falls: 1,
          hoursUp: 0,
          hoursDown: 1,
        });
      }),
      { numRuns: 3_000 },
    );
  });

  it('that falls short by a millionth of a per cent is neither', () => {
    fc.assert(
      fc.property(perMille, magnitude, (step, { digits, exponent }) => {
        const low = decimal(digits, exponent);
        const prices = [low, low * (1 + thresholdOf(step) - 1e-8)];
        expect(countsOf(prices, thresholdOf(step))).toMatchObject({ rises: 0, hoursUp: 0 });
      }),
    );
  });

  it('counts in every one of 400 hours of ±10 %', () => {
    // 134 runs of falls with 133 runs of rises between them, of 168 and 232 hours.
    const downs = Array.from({ length: 134 }, (_, run) => (run < 34 ? 2 : 1));
    const ups = Array.from({ length: 133 }, (_, run) => (run < 99 ? 2 : 1));
    const steps = downs.flatMap((down, run) => [
      ...Array<number>(down).fill(0.9),
      ...Array<number>(ups[run] ?? 0).fill(1.1),
    ]);
    const prices = pricesAfter(steps);
    expect(countsOf(prices, 0.1)).toEqual({ rises: 133, falls: 134, hoursUp: 232, hoursDown: 168 });
  });
});

describe('the moves of prices in another unit', () => {
  const steps = fc.array(fc.constantFrom(0.9, 1.1, 0.95, 1.05, 1.01, 0.99, 1), {
    minLength: 2,
    maxLength: 60,
  });
  const shape = ({ direction, from_time, confirmed_time, to_time }: DetectedMove) => ({
    direction,
    from_time,
    confirmed_time,
    to_time,
  });

  it.each([1e-9, 1e9])('of %d are the same', (unit) => {
    fc.assert(
      fc.property(steps, fc.constantFrom(0.01, 0.05, 0.1), (factors, threshold) => {
        const prices = pricesAfter(factors);
        const scaled = prices.map((price) => price * unit);
        const moves = movesOf(pathOf(scaled), threshold);
        const expected = movesOf(pathOf(prices), threshold);
        expect(moves.map(shape)).toEqual(expected.map(shape));
        for (const [index, { size }] of expected.entries()) {
          if (size !== undefined) expect(moves[index]?.size).toBeCloseTo(size, 9);
        }
        expect(countsOf(scaled, threshold)).toEqual(countsOf(prices, threshold));
      }),
    );
  });
});
