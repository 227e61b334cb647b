import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageSpec } from '../../charts/page-rendering.ts';
import { CHARTS, PICTURES } from '../../charts/pictures/all.ts';
import type { Chart, Picture } from '../../charts/pictures/chart.ts';
import type { PictureAnswer } from '../../charts/questions.ts';
import { answerPicture, seriesSummary } from '../../charts/report-data.ts';
import type { ReportStore } from '../../charts/report-store.ts';
import { seriesChoices } from '../../charts/series-choices.ts';
import type { Row } from '../../charts/table-rows.ts';
import { type Answers, answer, type QuestionInput, questionSchema } from '../../core/insights/question.ts';
import { formatSeries } from '../../core/market/series.ts';
import { DAY_MS } from '../../core/market/time.ts';
import { openSearchInsights } from '../../stores/opensearch/insights/stores.ts';
import { OpenSearchSearch } from '../../stores/opensearch/search.ts';
import { openSearch } from '../integration/services.ts';
import { draw, tableOf } from './drawing.ts';
import { type RecordedMarket, recordedMarket, storeMarket } from './recorded-market.ts';

const BTC = 'recorded:spot:BTCUSD';
const INTERVALS = { 'recorded:spot': 900_000 };
/** A full hour, right after the last poll. */
const AS_OF = '2018-07-08T00:00:00.000Z';
const AS_OF_MS = Date.parse(AS_OF);
const search = new OpenSearchSearch(openSearch, Number.POSITIVE_INFINITY);
const insights = openSearchInsights(search);
const store: ReportStore = {
  search: (index, body) => search.search(index, body),
  insights: insights.series,
  samplingIntervals: INTERVALS,
};
let market: RecordedMarket;

beforeAll(async () => {
  market = await recordedMarket();
  await storeMarket(openSearch, market);
});
afterAll(() => openSearch.close());

const pictureOf = (id: string) => PICTURES.find((picture) => picture.id === id) as Picture;
const chartOf = (id: string) => CHARTS.find((chart) => chart.id === id) as Chart;

/** The insights answer to a question as of the same time. */
async function ask<Q extends keyof Answers>(question: QuestionInput & { question: Q }): Promise<Answers[Q]> {
  return (await answer(questionSchema.parse(question), AS_OF_MS, insights, INTERVALS)) as Answers[Q];
}

async function drawOnPage(
  pictureId: string,
  chartId: string,
  choices: Record<string, string | number> = {},
  question: { series?: string; window?: '7d' | '90d' | '1y' } = {},
) {
  const picture = pictureOf(pictureId);
  const answered = await answerPicture(store, { picture: pictureId, series: BTC, ...question }, AS_OF_MS);
  const drawing = await draw(pageSpec(chartOf(chartId), picture, answered, choices));
  return { answered, drawing, rows: tableOf(drawing, chartOf(chartId)) };
}

describe.each(PICTURES.map((picture) => [picture.id, picture] as const))('the picture %s', (_, picture) => {
  it.each(picture.charts.map((chart) => [chart.id, chart] as const))(
    'draws %s on the report page, of real answers',
    async (_, chart) => {
      const answered = await answerPicture(store, { picture: picture.id, series: BTC }, AS_OF_MS);
      const drawing = await draw(pageSpec(chart, picture, answered));
      expect(drawing.marks).toBeGreaterThan(0);
      expect(drawing.svg).toContain('<svg');
      const rows = tableOf(drawing, chart);
      expect(rows.length).toBeGreaterThan(0);
      for (const { field } of chart.table.columns) expect(rows[0]).toHaveProperty(field);
    },
  );

  it.each(picture.charts.map((chart) => [chart.id, chart] as const))(
    'draws %s without anything stored, as an empty chart',
    async (_, chart) => {
      const nothing: PictureAnswer = { fromMs: AS_OF_MS - DAY_MS, toMs: AS_OF_MS, rows: {} };
      const drawing = await draw(pageSpec(chart, picture, nothing));
      expect(tableOf(drawing, chart)).toEqual([]);
    },
  );
});

describe('the numbers in the charts', () => {
  it('match the hourly candles in the price chart', async () => {
    const { rows } = await drawOnPage('price-and-change', 'price');
    const fromMs = AS_OF_MS - 7 * DAY_MS;
    const candles = market.candles.filter(
      (candle) => formatSeries(candle) === BTC && candle.startMs >= fromMs,
    );
    expect(candles).toHaveLength(7 * 24);
    expect(rows.map(({ time }) => Number(time))).toEqual(candles.map(({ startMs }) => startMs));
    for (const [index, { mean, low, high }] of candles.entries()) {
      expect(rows[index]?.mean).toBeCloseTo(mean, 8);
      expect(rows[index]).toMatchObject({ low, high });
    }
  });

  it('are the changes of closes over 24 hours, also in the first day of the window', async () => {
    const { rows } = await drawOnPage('price-and-change', 'change');
    const closes = new Map(
      market.candles
        .filter((candle) => formatSeries(candle) === BTC)
        .map(({ startMs, close }) => [startMs, close]),
    );
    expect(rows).toHaveLength(7 * 24);
    for (const { start_ms, change } of rows) {
      const [close, before] = [closes.get(Number(start_ms)), closes.get(Number(start_ms) - DAY_MS)];
      expect(change).toBeCloseTo((close as number) / (before as number) - 1, 12);
    }
  });

  it('match the percentiles of insights', async () => {
    const { rows } = await drawOnPage('percentile-bands', 'bands');
    const { series } = await ask({ question: 'percentiles', top: 10, over: '7d' });
    // ADA lacks more than a fifth of the polls.
    expect(rows.map((row) => row.series)).toEqual(series.map((each) => each.series));
    expect(rows).toHaveLength(3);
    for (const { series: name, samples, percentiles } of series) {
      const row = rows.find((each) => (each.series as string) === name);
      expect(row).toMatchObject({ samples });
      for (const [percent, value] of Object.entries(percentiles)) {
        expect(row?.[`p${percent}`]).toBeCloseTo(value as number, 6);
      }
    }
  });

  it.each([
    { period: 'day', from: '2018-05-14', to: '2018-05-15' },
    { period: 'week', from: '2018-05-14', to: '2018-05-21' },
    { period: 'month', from: '2018-05-01', to: '2018-06-01' },
  ])('are the insights core’s average of each $period', async ({ period, from, to }) => {
    const { rows } = await drawOnPage('average-price', 'average', { period });
    const row = rows.find(({ time }) => Number(time) === Date.parse(from));
    const average = await ask({ question: 'average', symbol: BTC, from, to });
    expect(row?.mean).toBeCloseTo(average.mean, 6);
    expect(row).toMatchObject({ low: average.min, high: average.max, hours: average.hours });
    expect(row?.coverage).toBeCloseTo(average.coverage, 12);
  });

  it('show the coverage of each period', async () => {
    const ADA = 'recorded:spot:ADAUSD';
    const { rows } = await drawOnPage('average-price', 'coverage', { period: 'month' }, { series: ADA });
    const may = rows.find(({ time }) => Number(time) === Date.parse('2018-05-01'));
    const average = await ask({ question: 'average', symbol: ADA, from: '2018-05-01', to: '2018-06-01' });
    expect(average.coverage).toBeLessThan(1);
    expect(may?.coverage).toBeCloseTo(average.coverage, 12);
  });

  it.each([0.01, 0.05, 0.1])('match the counts of insights for moves of %d', async (threshold) => {
    const { answered, rows } = await drawOnPage('moves', 'moves-per-week', { threshold }, { window: '90d' });
    const { drawing } = await drawOnPage('moves', 'move-sizes', { threshold }, { window: '90d' });
    const from = new Date(answered.fromMs).toISOString();
    const { thresholds } = await ask({
      question: 'moves',
      symbol: BTC,
      thresholds: [threshold],
      from,
      to: AS_OF,
    });
    const [counted] = thresholds;
    const sum = (list: readonly Row[], field: string, direction: string) =>
      list
        .filter((row) => (row.direction as string) === direction)
        .reduce((all, row) => all + Number(row[field]), 0);
    expect(sum(rows, 'count', 'Rises')).toBe(counted?.rises.count);
    expect(sum(rows, 'count', 'Falls')).toBe(counted?.falls.count);
    const sizes = drawing.rows('sizes');
    const completed = market.moves.filter(
      (move) =>
        formatSeries(move) === BTC &&
        move.threshold === threshold &&
        move.size !== undefined &&
        Date.parse(move.confirmed_time) >= answered.fromMs,
    );
    expect(sum(sizes, 'moves', 'Rises') + sum(sizes, 'moves', 'Falls')).toBe(completed.length);
  });

  it('match the volatility ranking of insights', async () => {
    const { rows } = await drawOnPage('volatility-ranking', 'volatility');
    const { series } = await ask({ question: 'volatile', top: 10, over: '7d' });
    expect(rows.map((row) => row.series)).toEqual(series.map((each) => each.series));
    for (const [index, each] of series.entries()) {
      expect(rows[index]?.volatility).toBeCloseTo(each.volatility as number, 9);
      expect(rows[index]?.range).toBeCloseTo(each.rangeFraction, 12);
    }
  });

  it('are the spread and the funding rate in basis points', async () => {
    const { rows: spreads } = await drawOnPage('spread-and-funding', 'spread');
    const { rows: rates } = await drawOnPage('spread-and-funding', 'funding');
    expect([spreads.length, rates.length]).toEqual([7 * 24, 7 * 24]);
    for (const { points } of spreads) expect(points).toBeCloseTo((10_000 * 0.0005) / 1.00005, 6);
    for (const { points } of rates) expect(points).toBeCloseTo(1, 6);
  });

  it('leave the archive out of comparisons unless it is picked', async () => {
    const names = async (series: string) =>
      (await drawOnPage('volatility-ranking', 'volatility', {}, { series, window: '1y' })).rows.map(
        (row) => (row.series as string).split(':')[0],
      );
    expect(new Set(await names(BTC))).toEqual(new Set(['recorded']));
    expect(await names('archive:spot:BTCUSD')).toContain('archive');
  });

  it('count every tick and show no false gaps', async () => {
    const { rows } = await drawOnPage('pipeline-health', 'ticks-per-hour');
    const ticks = rows.reduce((sum, row) => sum + Number(row.ticks_per_hour) * Number(row.interval_hours), 0);
    expect(ticks).toBe(market.tickers.length);
    const gaps = await drawOnPage('pipeline-health', 'gaps');
    expect(new Set(gaps.rows.map((row) => row.state))).toEqual(new Set(['Polls']));
    expect(gaps.rows[0]).toMatchObject({ polls: 4, share: 1 });
    const freshness = await drawOnPage('pipeline-health', 'freshness');
    expect(freshness.rows[0]?.minutes).toBeCloseTo(1, 3);
  });
});

describe('the figures above the charts', () => {
  it('lists series by turnover, with the archive last', async () => {
    const choices = await seriesChoices(store, AS_OF_MS);
    expect(choices[0]?.series).toBe(BTC);
    expect(choices).toHaveLength(8);
    expect(choices.slice(4).every(({ series }) => series.startsWith('archive:'))).toBe(true);
  });

  it('show the average prices of insights, and the sampling interval', async () => {
    const { newest, averages, samplingIntervalSeconds } = await seriesSummary(store, BTC, AS_OF_MS);
    expect(newest?.price).toBe(market.tickers.findLast(({ symbol }) => symbol === 'BTCUSD')?.last_price);
    expect(samplingIntervalSeconds).toBe(900);
    const { series: _, quote, ...average } = await ask({ question: 'average', symbol: BTC, over: '90d' });
    expect(quote).toBe('USD');
    expect(averages['90d']).toEqual(average);
  });
});
