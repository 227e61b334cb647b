import { CANDLE_INDICES } from '../../core/market/index-names.ts';
import { DAY_MS } from '../../core/market/time.ts';
import { colour } from '../palette.ts';
import type { Chart, ChartChoice, ChartQuery, Json, Picture } from './chart.ts';
import {
  bySeries,
  calculate,
  comparable,
  countSeries,
  flatten,
  priceAxis,
  seriesColour,
  seriesDrawn,
  seriesNames,
  timeAxis,
  timeText,
  tooltip,
} from './parts.ts';

const candles: ChartQuery = {
  index: CANDLE_INDICES,
  rows: 'aggregations.series.buckets',
  aggs: {
    series: bySeries(6, {
      days: {
        date_histogram: { field: 'start', calendar_interval: 'day', min_doc_count: 1 },
        aggs: {
          mean: { weighted_avg: { value: { field: 'mean' }, weight: { field: 'hours' } } },
          hours: { sum: { field: 'hours' } },
          low: { min: { field: 'low' } },
          high: { max: { field: 'high' } },
        },
      },
    }),
  },
};

const period: ChartChoice = {
  name: 'period',
  label: 'Average per',
  value: 'week',
  options: [
    { value: 'day', label: 'Day' },
    { value: 'week', label: 'Week' },
    { value: 'month', label: 'Month' },
  ],
};

/** Days → days, weeks (from Monday) or months. Each hour with data counts once. */
const periods: Json[] = [
  ...seriesNames,
  flatten('days.buckets', 'day'),
  calculate('day_ms', 'datum.day.key'),
  calculate(
    'start_ms',
    `period === 'day' ? datum.day_ms : period === 'week' ? datum.day_ms - ((utcday(datum.day_ms) + 6) % 7) * ${DAY_MS} : utc(utcyear(datum.day_ms), utcmonth(datum.day_ms), 1)`,
  ),
  calculate('hours', 'datum.day.hours.value'),
  calculate('mean_hours', 'datum.day.mean.value * datum.hours'),
  calculate('low', 'datum.day.low.value'),
  calculate('high', 'datum.day.high.value'),
  {
    aggregate: [
      { op: 'sum', field: 'mean_hours', as: 'mean_hours' },
      { op: 'sum', field: 'hours', as: 'hours' },
      { op: 'min', field: 'low', as: 'low' },
      { op: 'max', field: 'high', as: 'high' },
    ],
    groupby: ['series', 'label', 'start_ms'],
  },
  calculate('mean', 'datum.mean_hours / datum.hours'),
  calculate(
    'end_ms',
    `period === 'day' ? datum.start_ms + ${DAY_MS} : period === 'week' ? datum.start_ms + 7 * ${DAY_MS} : +utc(utcyear(datum.start_ms), utcmonth(datum.start_ms) + 1, 1)`,
  ),
  calculate('time', 'toDate(datum.start_ms)'),
  calculate('time_end', 'toDate(datum.end_ms)'),
  calculate('expected_hours', '(min(datum.end_ms, windowEnd) - max(datum.start_ms, windowStart)) / 3600000'),
  calculate('coverage', 'min(1, datum.hours / ceil(datum.expected_hours))'),
  timeText('time_text', 'datum.start_ms', '%Y-%m-%d'),
];

const averageAxes = (field: string): Json => ({
  x: timeAxis(),
  y: { field, type: 'quantitative', axis: priceAxis, scale: { zero: false } },
  color: seriesColour,
});

const average: Chart = {
  id: 'average',
  title: 'Average price',
  description:
    'Average price of each day, week or month: the mean of its hourly means, with the band from the lowest to the highest price, in the quote currency. Several currencies are drawn as the change since the first average.',
  ofOneCurrency: true,
  queries: { candles },
  height: 260,
  overTime: true,
  whenEmpty:
    'There are no candles for this currency in this window. Candles are made when an hour closes; "npm run backfill" fetches older ones.',
  table: {
    layers: ['average-line'],
    columns: [
      { field: 'time', title: 'From', format: 'date' },
      { field: 'mean', title: 'Average', format: 'price' },
      { field: 'low', title: 'Lowest', format: 'price' },
      { field: 'high', title: 'Highest', format: 'price' },
      { field: 'hours', title: 'Hours with data', format: 'count' },
      { field: 'coverage', title: 'Coverage', format: 'share' },
    ],
  },
  spec: {
    params: [seriesDrawn('candles')],
    data: { name: 'candles' },
    transform: [...periods, countSeries, ...comparable],
    layer: [
      {
        name: 'average-band',
        transform: [{ filter: 'datum.series_count === 1' }],
        mark: { type: 'area', opacity: 0.18, line: false },
        encoding: { ...averageAxes('low'), y2: { field: 'high' } },
      },
      {
        name: 'average-line',
        mark: { type: 'line', strokeWidth: 1.75, strokeJoin: 'round' },
        encoding: averageAxes('value'),
      },
      {
        name: 'average-points',
        mark: { type: 'point', filled: true, size: 90, opacity: 0 },
        encoding: {
          ...averageAxes('value'),
          tooltip: tooltip(
            ['time_text', 'From'],
            ['label', 'Series'],
            ['mean_text', 'Average'],
            ['low_text', 'Lowest'],
            ['high_text', 'Highest'],
            ['hours', 'Hours with data'],
          ),
        },
      },
    ],
  },
};

const coverage: Chart = {
  id: 'coverage',
  title: 'Coverage',
  description:
    'The share of each day, week or month that has data: hours with data ÷ hours. An average describes only the hours it covers.',
  ofOneCurrency: true,
  queries: { candles },
  height: 90,
  overTime: true,
  whenEmpty: 'There are no candles for this currency in this window.',
  table: {
    layers: ['coverage-bars'],
    columns: [
      { field: 'time', title: 'From', format: 'date' },
      { field: 'hours', title: 'Hours with data', format: 'count' },
      { field: 'coverage', title: 'Coverage', format: 'share' },
    ],
  },
  spec: {
    data: { name: 'candles' },
    transform: [...periods, calculate('coverage_text', "format(datum.coverage, '.1%')")],
    layer: [
      {
        name: 'coverage-bars',
        mark: { type: 'rect', opacity: 0.85, clip: true, x2Offset: -1 },
        encoding: {
          x: timeAxis(),
          x2: { field: 'time_end' },
          y: {
            field: 'coverage',
            type: 'quantitative',
            scale: { domain: [0, 1] },
            axis: { title: null, format: '.0%', values: [0, 0.5, 1] },
          },
          y2: { datum: 0 },
          color: { value: colour('third') },
          tooltip: tooltip(
            ['time_text', 'From'],
            ['label', 'Series'],
            ['hours', 'Hours with data'],
            ['coverage_text', 'Coverage'],
          ),
        },
      },
    ],
  },
};

export const averagePrice: Picture = {
  id: 'average-price',
  title: 'Average price',
  about:
    'The mean of the hourly means, so every hour with data counts once, with the range from the lowest to the highest price. Coverage is the share of each period that has data.',
  usualWindow: '1y',
  atLeastDays: 365,
  choices: [period],
  charts: [average, coverage],
};
