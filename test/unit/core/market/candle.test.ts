import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CandleError,
  candleFromHistory,
  candleFromTicks,
  candleId,
  chooseCandle,
  withLogReturn,
} from '../../../../core/market/candle.ts';
import { candleIndexOf } from '../../../../core/market/index-names.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';

const SERIES = {
  exchange: 'bybit',
  category: 'spot',
  symbol: 'BTCUSDT',
  base: 'BTC',
  quote: 'USDT',
} as const;
const START_MS = Date.parse('2026-03-01T12:00:00.000Z');
const minute = (minutes: number, price: number) => ({ slotMs: START_MS + minutes * 60_000, price });

describe('a candle from ticks', () => {
  it('sorts the ticks by time', () => {
    const candle = candleFromTicks(SERIES, START_MS, [minute(40, 9), minute(0, 10), minute(20, 14)]);
    expect(candle).toEqual({
      v: 1,
      ...SERIES,
      startMs: Date.parse('2026-03-01T12:00:00.000Z'),
      hours: 1,
      open: 10,
      high: 14,
      low: 9,
      close: 9,
      mean: 11,
      samples: 3,
      path: [
        [0, 10],
        [1_200_000, 14],
        [2_400_000, 9],
      ],
      source: 'ticks',
    });
  });

  it('has four equal prices if there is one sample', () => {
    expect(candleFromTicks(SERIES, START_MS, [minute(58, 7)])).toMatchObject({
      open: 7,
      high: 7,
      low: 7,
      close: 7,
      mean: 7,
      samples: 1,
      path: [[3_480_000, 7]],
    });
  });

  it.each([
    ['there are no ticks', []],
    ['a tick is before the hour', [minute(-1, 1)]],
    ['a tick is after the hour', [minute(60, 1)]],
  ])('is refused if %s', (_, ticks) => {
    expect(() => candleFromTicks(SERIES, START_MS, ticks)).toThrow(CandleError);
  });

  it('agrees with a naive computation', () => {
    const ticks = fc.uniqueArray(
      fc.record({
        offset: fc.integer({ min: 0, max: HOUR_MS - 1 }),
        price: fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
      }),
      { selector: ({ offset }) => offset, minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(ticks, (given) => {
        const candle = candleFromTicks(
          SERIES,
          START_MS,
          given.map(({ offset, price }) => ({ slotMs: START_MS + offset, price })),
        );
        const inOrder = [...given].sort((a, b) => a.offset - b.offset);
        const prices = inOrder.map(({ price }) => price).sort((a, b) => a - b);
        expect(candle.open).toBe(inOrder[0]?.price);
        expect(candle.close).toBe(inOrder.at(-1)?.price);
        expect(candle.low).toBe(prices[0]);
        expect(candle.high).toBe(prices.at(-1));
        expect(candle.mean).toBeCloseTo(prices.reduce((sum, price) => sum + price) / prices.length, 5);
        expect(candle.path).toEqual(inOrder.map(({ offset, price }) => [offset, price]));
      }),
    );
  });
});

describe('a candle from history', () => {
  const recorded = (open: number, close: number) => ({ startMs: START_MS, open, high: 20, low: 4, close });

  it('goes to the low first if it closes at or above its open', () => {
    const prices = (close: number) =>
      candleFromHistory(SERIES, recorded(10, close), 1).path.map(([, price]) => price);
    expect(prices(12)).toEqual([10, 4, 20, 12]);
    expect(prices(10)).toEqual([10, 4, 20, 10]);
    expect(prices(9)).toEqual([10, 20, 4, 9]);
  });

  it('has the mean of its four prices and no samples', () => {
    expect(candleFromHistory(SERIES, recorded(10, 12), 1)).toMatchObject({
      mean: 11.5,
      samples: 0,
      source: 'backfill',
    });
  });

  it('keeps what was traded, if its history has it', () => {
    const traded = candleFromHistory(SERIES, { ...recorded(10, 12), volume: 3, turnover: 33 }, 1);
    expect(traded).toMatchObject({ volume: 3, turnover: 33 });
    expect(candleFromHistory(SERIES, { ...recorded(10, 12), volume: 0 }, 1)).toMatchObject({ volume: 0 });
    expect(candleFromHistory(SERIES, recorded(10, 12), 1)).not.toHaveProperty('volume');
    expect(candleFromHistory(SERIES, recorded(10, 12), 1)).not.toHaveProperty('turnover');
  });

  it('has its prices at 0, 8 and 16 hours and a minute before its end if it is daily', () => {
    const { path, hours } = candleFromHistory(SERIES, recorded(10, 12), 24);
    expect(hours).toBe(24);
    expect(path.map(([offsetMs]) => offsetMs / HOUR_MS)).toEqual([0, 8, 16, 23 + 59 / 60]);
  });
});

describe('the candle to keep for an hour', () => {
  const backfill = candleFromHistory(SERIES, { startMs: START_MS, open: 1, high: 1, low: 1, close: 1 }, 1);
  const ticks = (count: number) =>
    candleFromTicks(
      SERIES,
      START_MS,
      Array.from({ length: count }, (_, index) => minute(index, 2)),
    );

  it('is the ticks’ if they cover half of the polls', () => {
    expect(chooseCandle({ ticks: ticks(2), backfill, pollsDue: 4 })).toEqual({ ...ticks(2), polls_due: 4 });
  });

  it('is the backfilled one below that, with the number of ticks seen', () => {
    expect(chooseCandle({ ticks: ticks(1), backfill, pollsDue: 4 })).toEqual({
      ...backfill,
      samples: 1,
      polls_due: 4,
    });
    expect(chooseCandle({ ticks: ticks(2), backfill, pollsDue: 5 })).toMatchObject({
      source: 'backfill',
      samples: 2,
    });
  });

  it('is the only one there is', () => {
    expect(chooseCandle({ ticks: ticks(1), pollsDue: 30 })).toEqual({ ...ticks(1), polls_due: 30 });
    expect(chooseCandle({ backfill, pollsDue: 30 })).toEqual(backfill);
    expect(chooseCandle({ pollsDue: 30 })).toBeUndefined();
  });

  it('forgets ticks that are gone', () => {
    expect(chooseCandle({ backfill: { ...backfill, samples: 3 }, pollsDue: 30 })?.samples).toBe(0);
  });
});

describe('the log return of a candle', () => {
  const hour = (hours: number, close: number, length: 1 | 24 = 1) =>
    candleFromHistory(
      SERIES,
      { startMs: START_MS + hours * HOUR_MS, open: close, high: close, low: close, close },
      length,
    );

  it('is relative to the close of the previous hour', () => {
    expect(withLogReturn(hour(1, 11), hour(0, 10)).log_return).toBe(Math.log(1.1));
  });

  it('is relative to the close of the previous day if the candle is daily', () => {
    expect(withLogReturn(hour(24, 11, 24), hour(0, 10, 24)).log_return).toBe(Math.log(1.1));
  });

  it.each([
    ['across a gap', hour(2, 11), hour(0, 10)],
    ['from a day to an hour', hour(24, 11), hour(0, 10, 24)],
    ['from an hour to a day', hour(1, 11, 24), hour(0, 10)],
    ['for the first candle', hour(1, 11), undefined],
  ])('is absent %s', (_, candle, previous) => {
    expect('log_return' in withLogReturn({ ...candle, log_return: 1 }, previous)).toBe(false);
  });
});

describe('the place of a candle', () => {
  it('has an id of its series, length and start', () => {
    expect(candleId({ ...SERIES, hours: 1, startMs: Date.parse('2026-03-01T12:00:00.000Z') })).toBe(
      `bybit:spot:BTCUSDT:1:${START_MS}`,
    );
  });

  it('is the index of its year', () => {
    expect(candleIndexOf(Date.parse('2025-12-31T23:00:00.000Z'))).toBe('candles-2025');
    expect(candleIndexOf(Date.parse('2026-01-01T00:00:00.000Z'))).toBe('candles-2026');
  });
});
