import { describe, expect, it } from 'vitest';
import {
  type Answers,
  answer,
  type QuestionInput,
  questionSchema,
} from '../../../../core/insights/question.ts';
import { InMemoryStore } from './in-memory-store.ts';
import { flat, hourMs, iso, SERIES, ticked, ticksOf, withReturns } from './sample-candles.ts';

const NOW_MS = hourMs(72);
const candles = withReturns(Array.from({ length: 72 }, (_, hour) => flat(hour, 100 + (hour % 5) * 10)));
const store = () => new InMemoryStore(candles);
const ask = async <Q extends keyof Answers>(
  input: QuestionInput & { question: Q },
  of: InMemoryStore = store(),
): Promise<Answers[Q]> =>
  (await answer(questionSchema.parse(input), NOW_MS, of.asStores(), {
    'recorded:spot': 900_000,
  })) as Answers[Q];

const TRUST =
  'returns longestGapHours staleHours sources samplingIntervalSeconds samplingIntervalSecondsBySource';

describe('the answers', () => {
  it('name the quote currency if a candle has it', async () => {
    const of = new InMemoryStore(candles.map((candle) => ({ ...candle, quote: 'USD' })));
    const quoted = { series: 'recorded:spot:BTCUSD', quote: 'USD' };
    expect(await ask({ question: 'average', symbol: 'BTCUSD' }, of)).toMatchObject(quoted);
    expect(await ask({ question: 'moves', symbol: 'BTCUSD' }, of)).toMatchObject(quoted);
    expect(await ask({ question: 'compare', symbols: ['BTCUSD'] }, of)).toMatchObject({ series: [quoted] });
  });

  it('for average have the documented fields', async () => {
    const found = await ask({ question: 'average', symbol: 'BTCUSD', over: '60h' });
    expect(Object.keys(found)).toEqual(
      `series from to mean min max first last change hours expectedHours coverage priceQuantiles shareBelowLast vwap dca ${TRUST}`.split(
        ' ',
      ),
    );
    expect(found).toMatchObject({ series: 'recorded:spot:BTCUSD', from: iso(hourMs(12)), to: iso(NOW_MS) });
  });

  it('for moves have the documented fields', async () => {
    const found = await ask({ question: 'moves', symbol: 'BTCUSD', thresholds: [0.05], over: '3d' });
    expect(Object.keys(found)).toEqual(`series from to coverage ${TRUST} thresholds`.split(' '));
    const [one] = found.thresholds;
    expect(Object.keys(one ?? {})).toEqual(
      'threshold rises falls hoursUp hoursDown daysUp daysDown'.split(' '),
    );
    expect(Object.keys(one?.rises ?? {})).toEqual(
      'count perDay meanSize maxSize last medianWaitHours p90WaitHours medianDurationHours meanOvershoot hoursSinceLast'.split(
        ' ',
      ),
    );
  });

  it('for moves cover 1, 5 and 10 % by default', async () => {
    const { thresholds } = await ask({ question: 'moves', symbol: 'BTCUSD' });
    expect(thresholds.map(({ threshold }) => threshold)).toEqual([0.01, 0.05, 0.1]);
  });

  it('for compare equal those to the other questions', async () => {
    const of = new InMemoryStore([
      ...candles,
      ...withReturns(candles.map((candle) => ({ ...candle, symbol: 'ETHUSD', close: candle.close + 1 }))),
    ]);
    of.changes = [{ series: 'recorded:spot:BTCUSD', samples: 9, percentiles: { 5: 0.1, 50: 0.2 } }];
    const over = '60h';
    const { series } = await ask(
      { question: 'compare', symbols: ['BTCUSD', 'ETHUSD'], percents: [5, 50], over },
      of,
    );
    expect(series.map((one) => one.series)).toEqual(['recorded:spot:BTCUSD', 'recorded:spot:ETHUSD']);
    for (const { series: name, average, moves, ...rest } of series) {
      const symbol = name.split(':')[2] as string;
      expect({ series: name, ...average }).toEqual(await ask({ question: 'average', symbol, over }, of));
      expect({ series: name, ...moves }).toEqual(await ask({ question: 'moves', symbol, over }, of));
      const { series: volatile } = await ask({ question: 'volatile', over }, of);
      const one = volatile.find((each) => each.series === name);
      // The sums are added in another order.
      expect(rest.volatility).toBeCloseTo(one?.volatility as number, 10);
      expect(rest.rangeFraction).toBe(one?.rangeFraction);
      expect(rest.percentiles).toEqual({ 5: 0.1, 50: 0.2 });
    }
  });

  it('for percentiles have the widest spread first', async () => {
    const of = store();
    // 672 polls were due.
    of.changes = [
      { series: 'recorded:spot:BTCUSD', samples: 600, percentiles: { '2.5': -0.1, '97.5': 0.1 } },
      { series: 'recorded:spot:ETHUSD', samples: 672, percentiles: { '2.5': -0.2, '97.5': 0.3 } },
      { series: 'recorded:spot:XRPUSD', samples: 700, percentiles: { '2.5': 0, '97.5': 0.01 } },
      { series: 'recorded:spot:NEWUSD', samples: 168, percentiles: { '2.5': -0.9, '97.5': 0.9 } },
    ];
    expect(await ask({ question: 'percentiles', percents: [2.5, 97.5], top: 2 }, of)).toEqual({
      from: iso(NOW_MS - 7 * 86_400_000),
      to: iso(NOW_MS),
      basis: 'ticks',
      minCoverage: 0.8,
      includeEnded: false,
      leftOut: { ended: 0, coverage: 1, turnover: 0 },
      series: [
        {
          series: 'recorded:spot:ETHUSD',
          samples: 672,
          effectiveSamples: 7,
          coverage: 1,
          percentiles: { '2.5': -0.2, '97.5': 0.3 },
        },
        {
          series: 'recorded:spot:BTCUSD',
          samples: 600,
          effectiveSamples: 7,
          coverage: 600 / 672,
          percentiles: { '2.5': -0.1, '97.5': 0.1 },
        },
      ],
    });
  });

  it('for percentiles are missing if no tick reports a change', async () => {
    await expect(ask({ question: 'percentiles', symbol: 'BTCUSD' })).rejects.toMatchObject({
      reason: 'noData',
    });
  });

  it('for percentiles from candles are of the changes between closes a day apart', async () => {
    const found = await ask({ question: 'percentiles', symbol: 'BTCUSD', fromCandles: true, percents: [50] });
    expect(found).toMatchObject({ basis: 'candles', series: [{ samples: 48, effectiveSamples: 7 }] });
    await expect(ask({ question: 'percentiles', fromCandles: true })).rejects.toThrow(/name a symbol/);
  });

  it('for a profile equal those to the other questions', async () => {
    const window = { symbol: 'BTCUSD', over: '60h' };
    const profile = await ask({ question: 'profile', ...window });
    const { average, moves, drawdown, averages } = profile;
    const named = <A>(answer: A) => ({ series: 'recorded:spot:BTCUSD', ...answer });
    expect(named(average)).toEqual(await ask({ question: 'average', ...window }));
    expect(named(averages['24h'])).toEqual(await ask({ question: 'average', symbol: 'BTCUSD', over: '24h' }));
    const horizons = ['1h', '4h', '24h', '7d'];
    expect(named(moves)).toEqual(await ask({ question: 'moves', horizons, ...window }));
    expect(named(drawdown)).toEqual(await ask({ question: 'drawdown', ...window }));
    // Each of the other answers has these itself.
    const { returns, longestGapHours, staleHours, sources, ...other } = average;
    const { samplingIntervalSeconds, samplingIntervalSecondsBySource, coverage } = other;
    const trust = {
      ...{ returns, longestGapHours, staleHours, sources },
      ...{ samplingIntervalSeconds, samplingIntervalSecondsBySource, coverage },
    };
    const { series, from, to, by, ...months } = await ask({ question: 'returns', ...window });
    expect([profile.from, profile.to, by]).toEqual([from, to, 'month']);
    expect([series, { ...profile.returns, ...trust }]).toEqual([profile.series, months]);
    const candlesOnly = { question: 'percentiles', fromCandles: true } as const;
    const { series: percentiles } = await ask({ ...candlesOnly, ...window });
    expect(percentiles).toEqual([named({ ...profile.percentiles, ...trust })]);
    const [ranked] = (await ask({ question: 'volatile', over: '60h' })).series;
    for (const [name, value] of Object.entries(profile.volatility)) {
      expect(ranked?.[name as keyof typeof ranked]).toBeCloseTo(value as number, 10);
    }
    expect(ranked).toMatchObject(trust);
  });

  it('for a correlation need days that all have', async () => {
    const other = candles.map((candle) => ({ ...candle, symbol: 'ETHUSD' }));
    const symbols = ['BTCUSD', 'ETHUSD'];
    const both = await ask({ question: 'correlate', symbols }, new InMemoryStore([...candles, ...other]));
    expect(both).toMatchObject({ days: 2, series: symbols.map((symbol) => `recorded:spot:${symbol}`) });
    expect(both.pearson[0]?.[1]).toBeCloseTo(1, 12);
    const short = new InMemoryStore([...candles, ...other.filter((_, hour) => hour < 30)]);
    await expect(ask({ question: 'correlate', symbols }, short)).rejects.toThrow(
      /daily returns on 1 common day .*a correlation needs at least two/,
    );
  });

  it('for returns list the calendar periods that start in the window', async () => {
    const { periods } = await ask({ question: 'returns', symbol: 'BTCUSD', by: 'day', over: '50h' });
    expect(periods.map(({ start }) => start)).toEqual([iso(hourMs(24)), iso(hourMs(48))]);
    expect(periods.every((each) => each.return !== null && each.coverage === 1)).toBe(true);
  });

  it('refuse a horizon that is not of whole hours', () => {
    const parsed = questionSchema.safeParse({ question: 'moves', symbol: 'BTCUSD', horizons: ['30m'] });
    expect(parsed.error?.issues[0]?.message).toMatch(/"30m" is not a valid horizon: expected whole hours/);
  });

  it('for series list all data, including unfinished hours', async () => {
    const ticks = ticksOf(72, [1, 2]).map((tick) => ({ ...tick, series: SERIES }));
    const gap = candles.filter((_, hour) => hour !== 5).map((candle) => ({ ...candle, samples: 4 }));
    expect(await ask({ question: 'series' }, new InMemoryStore(gap, ticks))).toEqual({
      series: [
        {
          series: 'recorded:spot:BTCUSD',
          first: iso(hourMs(0)),
          last: iso(hourMs(72)),
          ended: false,
          hours: 72,
          coverage: 72 / 73,
        },
      ],
    });
  });

  it('for series are missing if nothing is stored', async () => {
    await expect(ask({ question: 'series' }, new InMemoryStore([]))).rejects.toMatchObject({
      reason: 'noData',
    });
  });

  it('are the same from ticks as from candles', async () => {
    const of = new InMemoryStore([ticked(70, [1, 2, 3, 4]), ticked(71, [5, 6, 7, 8])]);
    expect(await ask({ question: 'average', symbol: 'BTCUSD', over: '90m' }, of)).toMatchObject({
      mean: 5.5,
      coverage: 1,
    });
  });
});

describe('a question', () => {
  it.each([
    ['of an unknown kind', { question: 'why' }],
    ['without a symbol', { question: 'average' }],
    ['with a threshold of 0', { question: 'moves', symbol: 'BTCUSD', thresholds: [0] }],
    ['with a percentile above 100', { question: 'percentiles', percents: [101] }],
    ['for the top 0', { question: 'volatile', top: 0 }],
    ['with an unknown category', { question: 'series', category: 'futures' }],
    ['with an unexpected field', { question: 'series', over: '1d' }],
    ['to compare nothing', { question: 'compare', symbols: [] }],
  ])('%s is refused', (_, question) => {
    expect(questionSchema.safeParse(question).success).toBe(false);
  });
});
