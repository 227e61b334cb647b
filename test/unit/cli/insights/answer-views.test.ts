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
};
const move = {
  threshold: 0.07,
  direction: 'rise',
  from_price: 1,
  from_time: window.from,
  confirmed_price: 2,
  confirmed_time: '2018-06-30T12:40:00.000Z',
} as const;
const moves = {
  ...window,
  ...trust,
  coverage: 1,
  thresholds: [
    {
      threshold: 0.07,
      rises: { count: 12, perDay: 0.5, meanSize: 0.123, maxSize: 0.4, last: move },
      falls: { count: 0, perDay: 0, meanSize: null, maxSize: null, last: null },
      hoursUp: 3,
      hoursDown: 4,
      daysUp: 5,
      daysDown: 6,
    },
  ],
};
const series = 'recorded:spot:BTCUSD';
const answers: Answers = {
  average: { series, quote: 'USD', ...average },
  moves: { series, ...moves },
  percentiles: {
    ...window,
    series: [{ series, samples: 9, coverage: 0.95, percentiles: { 5: -0.01, '99.9': 0.2 } }],
  },
  volatile: {
    ...window,
    minCoverage: 0.8,
    leftOut: { coverage: 3, turnover: 2 },
    series: [
      {
        series,
        volatility: 0.85,
        returns: 167,
        rangeFraction: 1.5,
        hours: 168,
        coverage: 1,
        moves: [{ threshold: 0.05, rises: 2, falls: 3 }],
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
  series: { series: [{ series, first: window.from, last: window.to, hours: 4_343, coverage: 0.999 }] },
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
        'longest gap 1 h',
        'stale 3 h',
        'made of 25.0 % ticks, 75.0 % hourly candles',
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
        'falls −7 % 0 0.00 – – –',
        '7 % 3 4 5 6',
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
      'Incomplete: only 89.9 % of the window has data; the longest gap is 1,200 h. The rest may have been different.',
    );
    expect(text({ staleHours: 500 })).toContain(
      'Stale: in 500 h of 4,343 h the price did not change at all.',
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
        'samples coverage 5 % 99.9 %',
        'recorded:spot:BTCUSD 9 95.0 % -1.00 % +20.00 %',
      ]),
    );
  });

  it('the most volatile series has a dash for an unknown value', () => {
    expect(lines(answerTable('volatile', answers.volatile))).toEqual(
      expect.arrayContaining([
        'recorded:spot:BTCUSD 85.0 % 167 150.0 % 100.0 % 5',
        'recorded:spot:NEW – 0 0.0 % 0.0 % 0',
        'Left out: 3 series with data for less than 80 % of the window (--min-coverage); 2 series with less turnover in 24 hours (--min-turnover).',
        'Incomplete: these series have data for 0.0 % to 100.0 % of the window.',
      ]),
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
