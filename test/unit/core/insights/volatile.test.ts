import { describe, expect, it } from 'vitest';
import type { RankingOptions } from '../../../../core/insights/ranking.ts';
import { mostVolatile } from '../../../../core/insights/volatile.ts';
import { volatilityOfHours } from '../../../../core/insights/volatility.ts';
import type { Candle } from '../../../../core/market/candle.ts';
import { InMemoryStore } from './in-memory-store.ts';
import { flat, hourMs, hours, recorded, SERIES, ticksOf, withReturns } from './sample-candles.ts';

const volatility = (candles: Parameters<typeof withReturns>[0]) => volatilityOfHours(withReturns(candles));
/** By hand: the mean is 0.15, the deviations ±0.05, the sample variance 0.005. */
const deviation = Math.sqrt((0.05 ** 2 + 0.05 ** 2) / 1);
const grown = (hour: number, logGrowth: number) => flat(hour, 100 * Math.exp(logGrowth));

describe('the volatility of a series', () => {
  it('is the sample standard deviation of the hourly log returns, annualised', () => {
    const candles = [grown(0, 0), grown(1, 0.1), grown(2, 0.3)];
    expect(volatility(candles).volatility).toBeCloseTo(deviation * Math.sqrt(8_766), 10);
  });

  it('leaves out returns across a gap', () => {
    const candles = [grown(0, 0), grown(1, 0.1), grown(5, 2), grown(6, 2.2)];
    expect(volatility(candles).volatility).toBeCloseTo(deviation * Math.sqrt(8_766), 10);
  });

  it('of daily candles is annualised by the days of a year', () => {
    const candles = [0, 0.1, 0.3].map((growth, day) => flat(24 * day, 100 * Math.exp(growth), 24));
    expect(volatility(candles).volatility).toBeCloseTo(deviation * Math.sqrt(365.25), 10);
  });

  it('pools the returns of a history that is daily first and hourly later', () => {
    const daily = [0, 0.1, 0.3].map((growth, day) => flat(24 * day, 100 * Math.exp(growth), 24));
    const hourly = [0.3, 0.31].map((growth, hour) => grown(72 + hour, growth));
    // Three returns over 49 hours: 0.1 and 0.2 of a day, 0.01 of an hour.
    const drift = 0.31 / 49;
    const deviations = (0.1 - 24 * drift) ** 2 + (0.2 - 24 * drift) ** 2 + (0.01 - drift) ** 2;
    const pooled = volatility([...daily, ...hourly]);
    expect(pooled?.volatility).toBeCloseTo(Math.sqrt((deviations / ((49 * 2) / 3)) * 8_766), 10);
    expect(pooled?.returns).toBe(3);
  });

  it('is not that of the last flat hours after two years of days', () => {
    const days = Array.from({ length: 729 }, (_, day) =>
      flat(24 * day, 100 * Math.exp(day % 2 ? 0.02 : 0), 24),
    );
    const hours = [0, 1, 2].map((hour) => flat(24 * 729 + hour, 100));
    const whole = volatility([...days, ...hours]);
    expect(whole?.returns).toBe(728 + 2);
    expect(whole?.volatility).toBeGreaterThan(0.35);
  });

  it('is 0 for a constant price, and unknown with fewer than two returns', () => {
    expect(volatility([flat(0, 3), flat(1, 3), flat(2, 3)]).volatility).toBe(0);
    expect(volatility([flat(0, 3), flat(1, 4)]).volatility).toBeNull();
    expect(volatility([flat(0, 3)]).volatility).toBeNull();
  });

  it('includes the range from lowest to highest', () => {
    expect(volatility([recorded(0, [10, 15, 8, 9]), flat(1, 9)]).rangeFraction).toBe(7 / 8);
  });
});

describe('the most volatile series', () => {
  const other = { ...SERIES, symbol: 'ETHUSD' };
  const wild = withReturns([grown(0, 0), grown(1, 0.1), grown(2, 0.3)]);
  const calm = withReturns([flat(0, 5), flat(1, 5), flat(2, 5)]).map((candle) => ({ ...candle, ...other }));
  const names = async (store: InMemoryStore, top = 10, scope = {}) =>
    (await mostVolatile(store, scope, hours(0, 3), { top })).series.map(({ series }) => series);

  it('come first, up to the requested number', async () => {
    const store = new InMemoryStore([...calm, ...wild]);
    expect(await names(store)).toEqual(['recorded:spot:BTCUSD', 'recorded:spot:ETHUSD']);
    expect(await names(store, 1)).toEqual(['recorded:spot:BTCUSD']);
  });

  it('are followed by those with too little data', async () => {
    const fresh = { ...flat(0, 1), symbol: 'NEWUSD' };
    const all = await mostVolatile(new InMemoryStore([fresh, ...calm]), {}, hours(0, 3), {
      top: 10,
      minCoverage: 0,
    });
    expect(all.series.map(({ series }) => series)).toEqual(['recorded:spot:ETHUSD', 'recorded:spot:NEWUSD']);
  });

  describe('with little data', () => {
    /** 4 of 10 hours, more volatile than anything. */
    const listedLate = withReturns([6, 7, 8, 9].map((hour) => flat(hour, hour % 2 ? 1 : 100))).map(
      (candle) => ({ ...candle, symbol: 'NEWUSD' }),
    );
    const steady = withReturns(Array.from({ length: 9 }, (_, hour) => flat(hour, 100 + hour)));
    const rank = (candles: Candle[], options: Partial<RankingOptions> = {}, ticks = tickWith()) =>
      mostVolatile(new InMemoryStore(candles, ticks), {}, hours(0, 10), { top: 10, ...options });
    const tickWith = (...turnovers: [symbol: string, turnover: number, quote: string][]) =>
      turnovers.map(([symbol, turnover, quote]) => ({
        ...{ slotMs: hourMs(5), price: 100, turnover },
        series: { ...SERIES, symbol, base: symbol.slice(0, 3), quote },
      }));

    it('are left out, and counted', async () => {
      const ranked = await rank([...listedLate, ...steady]);
      expect(ranked.series.map(({ series }) => series)).toEqual(['recorded:spot:BTCUSD']);
      expect(ranked).toMatchObject({ minCoverage: 0.8, leftOut: { ended: 0, coverage: 1, turnover: 0 } });
    });

    it('are ranked if the question says so, or if no other has more', async () => {
      const both = await rank([...listedLate, ...steady], { minCoverage: 0.4 });
      expect(both.series.map(({ series }) => series)).toEqual([
        'recorded:spot:NEWUSD',
        'recorded:spot:BTCUSD',
      ]);
      expect(both).toMatchObject({ minCoverage: 0.4, leftOut: { coverage: 0 } });
      const alone = await rank(listedLate);
      expect(alone).toMatchObject({ minCoverage: 0, leftOut: { coverage: 0 }, series: [{ coverage: 0.4 }] });
    });

    it('that ended are left out unless the question says so', async () => {
      const long = (symbol: string, length: number, category: 'spot' | 'linear' = 'spot') =>
        withReturns(
          Array.from({ length }, (_, hour) => ({ ...flat(hour, 100 + (hour % 3)), symbol, category })),
        );
      // 50 hours before the end of their own market, and a market of which nothing is known since.
      const candles = [...long('BTCUSD', 500), ...long('OLDUSD', 450), ...long('BTCUSD', 430, 'linear')];
      const ask = (includeEnded?: boolean) =>
        mostVolatile(new InMemoryStore(candles), {}, hours(0, 500), { top: 10, includeEnded });
      const usual = await ask();
      expect(usual.series.map(({ series }) => series).toSorted()).toEqual([
        'recorded:linear:BTCUSD',
        'recorded:spot:BTCUSD',
      ]);
      expect(usual).toMatchObject({ includeEnded: false, leftOut: { ended: 1, coverage: 0 } });
      const all = await ask(true);
      expect(all).toMatchObject({ includeEnded: true, leftOut: { ended: 0 } });
      expect(all.series.map(({ series }) => series)).toContain('recorded:spot:OLDUSD');
    });

    it('are no answer if the question asks for more than any has', async () => {
      await expect(rank(steady, { minCoverage: 0.95 })).rejects.toMatchObject({
        reason: 'noData',
        message:
          'No series has data for 95 % of the window; the best has 90 %. Ask for a shorter window or less coverage.',
      });
    });

    it('have the turnover of their candles where there are no ticks', async () => {
      const euros = { symbol: 'ETHEUR', base: 'ETH', quote: 'EUR' };
      const dollars = { symbol: 'EURUSD', base: 'EUR', quote: 'USD' };
      const traded = [
        ...steady.map((candle) => ({ ...candle, ...euros, volume: 10 })),
        ...steady.map((candle) => ({ ...candle, ...dollars, close: 1.25, turnover: 100 })),
      ];
      const all = await rank(traded, { minTurnover: 900 });
      expect(all.series).toHaveLength(2);
      const one = await rank(traded, { minTurnover: 901 });
      expect(one.series.map(({ series }) => series)).toEqual(['recorded:spot:ETHEUR']);
    });

    it('or little turnover in dollars are left out if the question says so', async () => {
      const small = steady.map((candle) => ({ ...candle, symbol: 'ETHKRW' }));
      const ticks = tickWith(
        ['BTCUSD', 1_000_000, 'USD'],
        ['ETHKRW', 9_000_000, 'KRW'],
        ['USDKRW', 1, 'KRW'],
      );
      const ranked = await rank([...steady, ...small], { minTurnover: 500_000 }, ticks);
      expect(ranked.series.map(({ series }) => series)).toEqual(['recorded:spot:BTCUSD']);
      // USDKRW itself has data for one hour only.
      expect(ranked).toMatchObject({ leftOut: { coverage: 1, turnover: 1 } });
      const any = await rank([...steady, ...small], { minTurnover: 90_000 }, ticks);
      expect(any.series).toHaveLength(2);
      await expect(rank(steady, { minTurnover: 2_000_000 }, ticks)).rejects.toMatchObject({
        message:
          'No series had a turnover of 2,000,000 USD in the last 24 hours of the window; the largest is 1,000,000 USD.',
      });
    });
  });

  it('have their hours, coverage and moves', async () => {
    const store = new InMemoryStore(wild.slice(0, 2));
    store.moves = [
      { series: 'recorded:spot:BTCUSD', threshold: 0.05, direction: 'rise', count: 2 },
      { series: 'recorded:spot:BTCUSD', threshold: 0.01, direction: 'fall', count: 3 },
      { series: 'recorded:spot:ETHUSD', threshold: 0.01, direction: 'fall', count: 9 },
    ];
    const { from, to, series } = await mostVolatile(store, {}, hours(0, 4), { top: 10 });
    expect([from, to]).toEqual(['2018-03-01T00:00:00.000Z', '2018-03-01T04:00:00.000Z']);
    expect(series).toMatchObject([
      {
        hours: 2,
        coverage: 0.5,
        moves: [
          { threshold: 0.01, rises: 0, falls: 3 },
          { threshold: 0.05, rises: 2, falls: 0 },
        ],
      },
    ]);
  });

  it('use ticks for an hour without a candle, with its return to the hour before', async () => {
    const last = wild.at(-1)?.close as number;
    const seen = wild.slice(0, 2).map((candle) => ({ ...candle, samples: 4 }));
    const ticks = ticksOf(2, [1, last]).map((tick) => ({ ...tick, series: SERIES }));
    const [one] = (await mostVolatile(new InMemoryStore(seen, ticks), {}, hours(0, 3), { top: 1 })).series;
    expect(one).toMatchObject({ hours: 3, coverage: 1 });
    expect(one?.volatility).toBeCloseTo(deviation * Math.sqrt(8_766), 10);
    expect(one?.rangeFraction).toBeCloseTo(last - 1, 10);
  });

  it('include the return of a candle whose predecessor has only ticks', async () => {
    const [first, second, third] = [grown(0, 0), grown(1, 0.1), grown(2, 0.3)] as const;
    const ticks = ticksOf(1, [second.close]).map((tick) => ({ ...tick, series: SERIES }));
    const store = new InMemoryStore([first, third], ticks);
    const [one] = (await mostVolatile(store, {}, hours(0, 3), { top: 1 })).series;
    expect(one?.volatility).toBeCloseTo(deviation * Math.sqrt(8_766), 10);
  });

  it('include a series that has only ticks', async () => {
    const ticks = ticksOf(0, [1, 2]).map((tick) => ({ ...tick, series: SERIES }));
    expect(await names(new InMemoryStore([], ticks))).toEqual(['recorded:spot:BTCUSD']);
  });

  it('read no ticks if no hour is missing', async () => {
    const store = new InMemoryStore([...calm, ...wild]);
    await names(store);
    expect(store.asked).toEqual([]);
  });

  it('leave out the archive unless it is named', async () => {
    const archived = wild.map((candle) => ({ ...candle, exchange: 'archive' }));
    const store = new InMemoryStore([...calm, ...archived]);
    expect(await names(store)).toEqual(['recorded:spot:ETHUSD']);
    expect(await names(store, 10, { exchange: 'archive' })).toEqual(['archive:spot:BTCUSD']);
  });

  it('are an error that says which range has data if the window has none', async () => {
    await expect(mostVolatile(new InMemoryStore(wild), {}, hours(10, 20), { top: 10 })).rejects.toMatchObject(
      {
        reason: 'noData',
        message:
          'There is no data here from 2018-03-01 10:00 to 2018-03-01 20:00 UTC; there is data from 2018-03-01 00:00 to 2018-03-01 03:00 UTC.',
      },
    );
  });
});
