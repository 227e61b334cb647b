import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { averageOver } from '../../../../core/insights/average.ts';
import { compareOne } from '../../../../core/insights/compare.ts';
import { loadHours, loadPaths } from '../../../../core/insights/history.ts';
import { mostVolatile } from '../../../../core/insights/volatile.ts';
import { volatilityOfHours } from '../../../../core/insights/volatility.ts';
import type { Candle } from '../../../../core/market/candle.ts';
import { formatSeries } from '../../../../core/market/series.ts';
import { InMemoryStore } from './in-memory-store.ts';
import { flat, hours, recorded, SERIES, ticked, ticksOf, withReturns } from './sample-candles.ts';

const LAST_HOUR = 96;
const price = fc.integer({ min: 80, max: 120 });
const prices = fc.array(price, { minLength: 1, maxLength: 4 });

const some = <T>(of: fc.Arbitrary<T>, length: number) =>
  fc.array(fc.option(of), { minLength: length, maxLength: length });

/** Days of daily candles, then hours with gaps that are summarised, then hours of ticks that are not yet. */
const history = fc
  .record({
    days: some(price, 48 / 24),
    closed: some(fc.oneof(prices, fc.tuple(price, price, price, price)), 40),
    open: some(prices, 8),
  })
  .map(({ days, closed, open }) => {
    const begins = 24 * days.length;
    const candles: Candle[] = [
      ...days.flatMap((one, day) => (one === null ? [] : [flat(24 * day, one, 24)])),
      ...closed.flatMap((one, index): Candle[] => {
        if (one === null) return [];
        const hour = begins + index;
        const [a, b, c, d] = one;
        if (one.length < 4 || a === undefined || b === undefined || c === undefined || d === undefined) {
          return [ticked(hour, one)];
        }
        return [recorded(hour, [a, Math.max(a, b, c, d), Math.min(a, b, c, d), d])];
      }),
    ];
    // All series are summarised together, so ticks without a candle come after all that have one.
    const ticks = open.flatMap((one, index) =>
      one === null ? [] : ticksOf(begins + closed.length + index, one),
    );
    return { candles: withReturns(candles), ticks };
  });

const storeOf = (all: readonly { candles: Candle[]; ticks: { slotMs: number; price: number }[] }[]) => {
  const named = all.map((one, index) => ({ ...one, series: { ...SERIES, symbol: `COIN${index}` } }));
  return new InMemoryStore(
    named.flatMap(({ candles, series }) => candles.map((candle) => ({ ...candle, ...series }))),
    named.flatMap(({ ticks, series }) => ticks.map((tick) => ({ ...tick, series }))),
  );
};
const window = fc
  .uniqueArray(fc.integer({ min: 0, max: LAST_HOUR }), { minLength: 2, maxLength: 2 })
  .map((ends) => hours(Math.min(...ends), Math.max(...ends)));

describe('the answers about one series', () => {
  it('are the same with and without reading paths', async () => {
    await fc.assert(
      fc.asyncProperty(history, window, async (one, asked) => {
        const store = storeOf([one]);
        const series = { ...SERIES, symbol: 'COIN0' };
        const pathless = await loadHours(store, series, asked);
        const withPaths = await loadPaths(store, series, asked);
        const bare = ({ path: _, ...hour }: (typeof withPaths)[number]) => hour;
        expect(pathless.map((hour) => ('path' in hour ? bare(hour as Candle) : hour))).toEqual(
          withPaths.map(bare),
        );
      }),
    );
  });

  it('agree with a comparison, which reads all of its history', async () => {
    await fc.assert(
      fc.asyncProperty(history, window, async (one, asked) => {
        const store = storeOf([one]);
        const series = { ...SERIES, symbol: 'COIN0' };
        const found = await loadHours(store, series, asked);
        fc.pre(found.length > 0);
        const options = { thresholds: [0.05], percents: [50], samplingIntervalMs: 900_000 };
        const compared = await compareOne(store.asStores(), series, asked, options);
        expect(compared.average).toEqual(await averageOver(store, series, asked, 900_000));
        expect(compared).toMatchObject(volatilityOfHours(found));
      }),
    );
  });
});

describe('the ranking of all series', () => {
  it('has the numbers of each of them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(history, { minLength: 1, maxLength: 3 }), window, async (all, asked) => {
        const store = storeOf(all);
        const expected = new Map<string, ReturnType<typeof volatilityOfHours> & { hours: number }>();
        for (const index of all.keys()) {
          const series = { ...SERIES, symbol: `COIN${index}` };
          const found = await loadHours(store, series, asked);
          if (found.length === 0) continue;
          const covered = found.reduce((sum, hour) => sum + hour.hours, 0);
          expected.set(formatSeries(series), { ...volatilityOfHours(found), hours: covered });
        }
        fc.pre(expected.size > 0);
        const { series: ranked } = await mostVolatile(store, {}, asked, { top: 10, minCoverage: 0 });
        expect(new Set(ranked.map(({ series }) => series))).toEqual(new Set(expected.keys()));
        for (const { series, volatility, returns, rangeFraction, hours: covered } of ranked) {
          const one = expected.get(series);
          expect({ returns, rangeFraction, hours: covered }).toEqual({
            returns: one?.returns,
            rangeFraction: one?.rangeFraction,
            hours: one?.hours,
          });
          if (volatility === null) expect(one?.volatility).toBeNull();
          else expect(volatility).toBeCloseTo(one?.volatility as number, 6);
        }
      }),
      { numRuns: 300 },
    );
  });
});
