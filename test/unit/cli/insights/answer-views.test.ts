import { describe, expect, it } from 'vitest';
import { answerRows, answerTable } from '../../../../cli/insights/answer-views.ts';
import type { Answers } from '../../../../core/insights/question.ts';
import { csvText } from '../../../../core/text/csv.ts';

const window = { from: '2018-01-01T00:00:00.000Z', to: '2018-07-01T00:00:00.000Z' };
const trust = {
  returns: 4_342,
  longestGapHours: 1,
  staleHours: 3,
  sources: { ticks: 0.25, hourly: 0.75, daily: 0 },
  samplingIntervalSeconds: 900,
  samplingIntervalSecondsBySource: { ticks: 120, hourly: 900 },
};
const average = {
  ...window,
  ...trust,
  mean: 9_183.123456,
  min: 5_774.72,
  max: 17_213.14,
  first: 13_800,
  last: 6_385,
  change: -0.537,
  hours: 4_343,
  expectedHours: 4_344,
  coverage: 4_343 / 4_344,
  priceQuantiles: { 5: 6_600, 25: 7_500, 50: 8_500, 75: 10_000, 95: 14_000 },
  shareBelowLast: 0.123,
  vwap: { price: 9_000, volumeCoverage: 0.75 },
  dca: { hourly: 8_900, daily: 8_901, weekly: 8_902 },
};
const move = {
  threshold: 0.07,
  direction: 'rise',
  from_price: 1,
  from_time: window.from,
  confirmed_price: 2,
  confirmed_time: '2018-06-30T12:40:00.000Z',
} as const;
const timing = {
  medianWaitHours: 12.34,
  p90WaitHours: 100,
  medianDurationHours: 5,
  meanOvershoot: 0.06,
  hoursSinceLast: 3,
};
const noTiming = {
  medianWaitHours: null,
  p90WaitHours: null,
  medianDurationHours: null,
  meanOvershoot: null,
  hoursSinceLast: null,
};
const moves = {
  ...window,
  ...trust,
  coverage: 1,
  thresholds: [
    {
      threshold: 0.07,
      rises: { count: 12, perDay: 0.5, meanSize: 0.123, maxSize: 0.4, last: move, ...timing },
      falls: { count: 0, perDay: 0, meanSize: null, maxSize: null, last: null, ...noTiming },
      hoursUp: 3,
      hoursDown: 4,
      daysUp: 5,
      daysDown: 6,
    },
  ],
  horizons: [
    {
      horizon: '4h',
      n: 1_000,
      thresholds: [
        {
          threshold: 0.07,
          ...{ up: 20, upShare: 0.02, upLow: 0.013, upHigh: 0.031, touchedUp: 30, touchedUpShare: 0.03 },
          ...{ down: 0, downShare: 0, downLow: 0, downHigh: 0.004, touchedDown: 1, touchedDownShare: 0.001 },
        },
      ],
    },
  ],
};
const fall = {
  fraction: -0.65,
  ...{ peakPrice: 17_213, peakTime: '2018-01-06T12:00:00.000Z' },
  ...{ troughPrice: 6_000, troughTime: '2018-02-06T08:00:00.000Z' },
};
const drawdown = {
  ...window,
  ...trust,
  coverage: 1,
  max: { ...fall, recoveredTime: null },
  ...{ current: -0.63, daysUnderWater: 175.5, totalDaysUnderWater: 179 },
  worst: [
    { ...fall, recoveredTime: null },
    { ...fall, fraction: -0.1, recoveredTime: '2018-01-05T00:00:00.000Z' },
  ],
};
const months = {
  periods: [
    { start: '2018-01-01T00:00:00.000Z', return: null, coverage: 1 },
    { start: '2018-02-01T00:00:00.000Z', return: 0.021, coverage: 0.5 },
  ],
  best: { start: '2018-02-01T00:00:00.000Z', return: 0.021 },
  worst: { start: '2018-02-01T00:00:00.000Z', return: 0.021 },
  positiveShare: 1,
};
const estimates = {
  ...{ parkinson: 0.71, garmanKlass: 0.72, yangZhang: 0.73, realised: 0.74, ewma: 0.75, downside: 0.76 },
  atrFraction: 0.077,
};
const series = 'recorded:spot:BTCUSD';
const answers: Answers = {
  average: { series, quote: 'USD', ...average },
  moves: { series, ...moves },
  percentiles: {
    ...window,
    basis: 'ticks',
    series: [
      {
        ...{ series, samples: 9, effectiveSamples: 181, coverage: 0.95 },
        percentiles: { 5: -0.01, '99.9': 0.2 },
      },
    ],
  },
  volatile: {
    ...window,
    minCoverage: 0.8,
    includeEnded: false,
    leftOut: { ended: 4, coverage: 3, turnover: 2 },
    series: [
      {
        series,
        volatility: 0.85,
        returns: 167,
        rangeFraction: 1.5,
        hours: 168,
        coverage: 1,
        moves: [{ threshold: 0.05, rises: 2, falls: 3 }],
        ...estimates,
      },
      {
        series: 'recorded:spot:NEW',
        volatility: null,
        returns: 0,
        rangeFraction: 0,
        hours: 1,
        coverage: 0,
        moves: [],
      },
    ],
  },
  compare: {
    series: [
      {
        series,
        quote: 'USD',
        average,
        moves,
        volatility: 0.85,
        returns: 167,
        rangeFraction: 1.5,
        percentiles: { 50: 0.01 },
      },
    ],
  },
  drawdown: { series, quote: 'USD', ...drawdown },
  returns: { series, quote: 'USD', ...window, by: 'month', ...months, ...trust, coverage: 1 },
  correlate: {
    ...window,
    days: 180,
    series: [series, 'recorded:spot:ETHUSD'],
    pearson: [
      [1, 0.8123],
      [0.8123, 1],
    ],
    spearman: [
      [1, null],
      [null, 1],
    ],
    beta: [1, 1.234],
    trust: [
      { ...trust, coverage: 1 },
      { ...trust, coverage: 0.5 },
    ],
  },
  profile: {
    ...{ series, quote: 'USD', ...window },
    averages: {
      ...{ '1h': null, '24h': average, '7d': average, '30d': average, '90d': average },
      ...{ '1y': average, '2y': average },
    },
    ...{ average, moves, drawdown, returns: months },
    volatility: { volatility: 0.85, returns: 4_342, rangeFraction: 1.5, ...estimates },
    percentiles: {
      ...{ samples: 4_000, effectiveSamples: 181, coverage: 1 },
      percentiles: { 5: -0.1, 50: 0, 95: 0.12 },
    },
  },
  series: {
    series: [{ series, first: window.from, last: window.to, ended: true, hours: 4_343, coverage: 0.999 }],
  },
};

/** The table's lines, blanks between columns reduced to one. */
const lines = (text: string) => text.split('\n').map((line) => line.trim().replace(/ {2,}/g, ' '));

describe('the table of', () => {
  it('an average has prices in their currency, percentages and UTC times', () => {
    expect(lines(answerTable('average', answers.average))).toEqual(
      expect.arrayContaining([
        'recorded:spot:BTCUSD, 2018-01-01 00:00 UTC to 2018-07-01 00:00 UTC',
        'average 9,183.12 USD',
        'change -53.70 %',
        'hours with data 4,343 of 4,344',
        'coverage 100.0 %',
        'longest gap 1.0 h',
        'stale 3.0 h',
        'made of 25.0 % ticks, 75.0 % hourly candles',
        'weighted by volume 9,000.00 USD (75.0 % of the hours)',
        '90 % of the hours 6,600.00 USD to 14,000.00 USD',
        'hours below the last price 12.3 %',
        'bought every week 8,902.00 USD',
      ]),
    );
  });

  it('an average without a known quote has prices without a currency', () => {
    const { quote: _, ...answer } = answers.average;
    expect(lines(answerTable('average', answer))).toContain('average 9,183.12');
  });

  it('moves has both directions, the closes, and the sampling interval', () => {
    expect(lines(answerTable('moves', answers.moves))).toEqual(
      expect.arrayContaining([
        'rises +7 % 12 0.50 12.3 % 40.0 % 2018-06-30 12:40 UTC',
        'falls -7 % 0 0.00 – – –',
        '7 % 3 4 5 6',
        'rises +7 % 12.3 h 4.2 days 5.0 h 6.0 % 3.0 h',
        'falls -7 % – – – – –',
        '4h 1,000 7 % 2.0 % 1.3 % – 3.1 % 3.0 % 0.0 % 0.0 % – 0.4 % 0.1 %',
        'Data for 100.0 % of the window: 25.0 % ticks, 75.0 % hourly candles.',
        'Sampled every 2 min (ticks), 15 min (hourly candles): moves that reverse in between are not seen.',
      ]),
    );
  });

  it('an answer from incomplete or stale data says so in words', () => {
    const text = (changed: object) => lines(answerTable('average', { ...answers.average, ...changed }));
    expect(text({}).join()).not.toMatch(/Incomplete|Stale/);
    expect(text({ coverage: 0.9 }).join()).not.toMatch(/Incomplete/);
    expect(text({ coverage: 0.899, longestGapHours: 1_200 })).toContain(
      'Incomplete: only 89.9 % of the window has data; the longest gap is 50.0 days. The rest may have been different.',
    );
    expect(text({ staleHours: 500 })).toContain(
      'Stale: in 500 of 4,343 hours the price did not change at all.',
    );
    const partly = { ...answers.moves, coverage: 0.5 };
    expect(lines(answerTable('moves', partly)).join()).toMatch(/Incomplete: only 50.0 %/);
    const [one] = answers.compare.series as [Answers['compare']['series'][number]];
    const compared = { series: [{ ...one, average: { ...average, coverage: 0.5 } }] };
    expect(lines(answerTable('compare', compared)).join()).toMatch(/Incomplete: only 50.0 %.*BTCUSD/);
  });

  it('percentiles has a column for each percentile', () => {
    expect(lines(answerTable('percentiles', answers.percentiles))).toEqual(
      expect.arrayContaining([
        'samples worth coverage 5 % 99.9 %',
        'recorded:spot:BTCUSD 9 181 95.0 % -1.00 % +20.00 %',
      ]),
    );
  });

  it('the most volatile series has a dash for an unknown value', () => {
    expect(lines(answerTable('volatile', answers.volatile))).toEqual(
      expect.arrayContaining([
        'recorded:spot:BTCUSD 85.0 % 167 150.0 % 100.0 % 5',
        'recorded:spot:NEW – 0 0.0 % 0.0 % 0',
        'Left out: 4 series that ended (--include-ended); 3 series with data for less than 80 % of the window (--min-coverage); 2 series with less turnover in 24 hours (--min-turnover).',
        'Incomplete: these series have data for 0.0 % to 100.0 % of the window.',
        'recorded:spot:BTCUSD 74.0 % 75.0 % 76.0 % 71.0 % 72.0 % 73.0 % 7.7 %',
      ]),
    );
  });

  it('drawdowns says how far below the highest price the last one is', () => {
    expect(lines(answerTable('drawdown', answers.drawdown))).toEqual([
      'recorded:spot:BTCUSD, 2018-01-01 00:00 UTC to 2018-07-01 00:00 UTC',
      'from on to on recovered',
      '-65.00 % 17,213.00 USD 2018-01-06 12:00 UTC 6,000.00 USD 2018-02-06 08:00 UTC not yet',
      '-10.00 % 17,213.00 USD 2018-01-06 12:00 UTC 6,000.00 USD 2018-02-06 08:00 UTC 2018-01-05 00:00 UTC',
      '',
      'The last price is 63.0 % below the highest, reached 175.5 days before.',
      'Below a high for 179.0 days in all.',
      'Sampled every 2 min (ticks), 15 min (hourly candles): extremes in between are not seen.',
    ]);
    const none = { ...answers.drawdown, current: 0, daysUnderWater: 0, max: null, worst: [] };
    expect(lines(answerTable('drawdown', none)).at(-2)).toBe('The last price is the highest.');
    const partly = { ...answers.drawdown, coverage: 0.5 };
    expect(lines(answerTable('drawdown', partly)).join()).toMatch(/Incomplete: only 50.0 %/);
  });

  it('returns names the periods as people do', () => {
    expect(lines(answerTable('returns', answers.returns))).toEqual([
      'recorded:spot:BTCUSD by month, 2018-01-01 00:00 UTC to 2018-07-01 00:00 UTC',
      'month return data',
      '2018-01 – 100.0 %',
      '2018-02 +2.10 % 50.0 %',
      '',
      'Best +2.10 % (2018-02), worst +2.10 % (2018-02); 100.0 % of them positive.',
    ]);
    const periods = [{ start: '2018-04-01T00:00:00.000Z', return: 0.021, coverage: 0.5 }];
    const partly = answerTable('returns', { ...answers.returns, coverage: 0.5 });
    expect(partly).toMatch(/Incomplete: only 50.0 %/);
    const quarters = lines(answerTable('returns', { ...answers.returns, by: 'quarter', periods }));
    expect(quarters).toContain('2018 Q2 +2.10 % 50.0 %');
  });

  it('a correlation has both matrices and the betas', () => {
    expect(lines(answerTable('correlate', answers.correlate))).toEqual(
      expect.arrayContaining([
        'correlation recorded:spot:BTCUSD recorded:spot:ETHUSD',
        'recorded:spot:ETHUSD 0.81 1.00',
        'recorded:spot:ETHUSD – 1.00',
        'recorded:spot:ETHUSD 1.23 %',
        'From 180 days on which all of them have a return.',
        'Incomplete: only 50.0 % of the window has data; the longest gap is 1.0 h. The rest may have been different. (recorded:spot:ETHUSD)',
      ]),
    );
  });

  it('a profile answers both questions and all others, in sentences and in numbers', () => {
    expect(lines(answerTable('profile', answers.profile))).toEqual(
      expect.arrayContaining([
        'Is it cheap? 12.3 % of the hours were below the last price.',
        'This rests on 4,343 of 4,344 hours: 25.0 % ticks, 75.0 % hourly candles.',
        '1h – – – – 0.0 %',
        '90d 9,183.12 USD 5,774.72 USD 17,213.14 USD -53.70 % 100.0 %',
        'median 8,500.00 USD',
        'rises +7 % 12 0.50 12.3 % 40.0 % 2018-06-30 12:40 UTC',
        'from returns 85.0 % (4,342 returns)',
        'The last price is 63.0 % below the highest, which was reached 175.5 days before.',
        '2018-02 +2.10 % 50.0 %',
        '-10.00 % 0.00 % +12.00 %',
      ]),
    );
  });

  it('a series that ended has its last date and says so', () => {
    expect(lines(answerTable('series', answers.series))).toContain(
      'recorded:spot:BTCUSD 2018-01-01 00:00 UTC 2018-07-01 00:00 UTC (ended) 4,343 99.9 %',
    );
  });

  it('a comparison has the numbers of all questions', () => {
    expect(lines(answerTable('compare', answers.compare))).toEqual(
      expect.arrayContaining([
        'average 9,183.12 USD',
        'rises / falls of 7 % 12 / 0',
        '24 h change, 50 % percentile +1.00 %',
        'from returns 167',
      ]),
    );
  });
});

describe('the CSV of', () => {
  it.each(Object.keys(answers) as (keyof Answers)[])('%s has a value in every column', (question) => {
    const rows = answerRows(question, answers[question]);
    const [header, ...body] = csvText(rows).trimEnd().split('\n');
    expect(body).toHaveLength(rows.length);
    for (const line of body) expect(line.split(',')).toHaveLength(header?.split(',').length ?? 0);
  });

  it('an average has a column for each nested field', () => {
    expect(answerRows('average', answers.average)).toMatchObject([
      { mean: 9_183.123456, 'sources.ticks': 0.25, 'samplingIntervalSecondsBySource.hourly': 900 },
    ]);
  });

  it('moves has a row for each threshold and direction', () => {
    expect(answerRows('moves', answers.moves)).toMatchObject([
      { threshold: 0.07, direction: 'rise', count: 12, last: '2018-06-30T12:40:00.000Z', hours: 3, days: 5 },
      { threshold: 0.07, direction: 'fall', count: 0, last: undefined, hours: 4, days: 6 },
    ]);
  });
});
