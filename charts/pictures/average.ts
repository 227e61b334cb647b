import { DAY_MS, HOUR_MS } from '../../core/market/time.ts';
import type { Chart, ChartChoice, Json, Picture } from './chart.ts';
import { candlesThenTicks, mainMarkets, marketsOverTime } from './markets.ts';
import {
  barHeight,
  calculate,
  comparable,
  priceAxis,
  rankedNames,
  seriesColour,
  stateAndShare,
  timeAxis,
  timeText,
  tooltip,
} from './parts.ts';

/** Days without candles have a bucket too, up to the window's end: a day of an outage has a coverage of 0. */
const markets = marketsOverTime({
  date_histogram: {
    field: 'start',
    calendar_interval: 'day',
    min_doc_count: 0,
    extended_bounds: { max: { '%timefilter%': 'max' } },
  },
  aggs: {
    mean: { weighted_avg: { value: { field: 'mean' }, weight: { field: 'hours' } } },
    hours: { sum: { field: 'hours' } },
    low: { min: { field: 'low' } },
    high: { max: { field: 'high' } },
  },
});

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

/** Days and hours → days, weeks (from Monday) or months. Each hour with data counts once. */
const periods: Json[] = [
  ...mainMarkets,
  ...candlesThenTicks,
  { filter: 'datum.is_candle ? datum.start_ms < asOf : datum.start_ms >= datum.candles_end_ms' },
  calculate('day_ms', `datum.start_ms - datum.start_ms % ${DAY_MS}`),
  calculate('hours', 'datum.is_candle ? datum.bucket.hours.value : 1'),
  calculate('mean_hours', 'datum.hours > 0 ? datum.bucket.mean.value * datum.hours : 0'),
  calculate('low', 'datum.bucket.low.value'),
  calculate('high', 'datum.bucket.high.value'),
  calculate(
    'start_ms',
    `period === 'day' ? datum.day_ms : period === 'week' ? datum.day_ms - ((utcday(datum.day_ms) + 6) % 7) * ${DAY_MS} : +utc(utcyear(datum.day_ms), utcmonth(datum.day_ms), 1)`,
  ),
  {
    aggregate: [
      { op: 'sum', field: 'mean_hours', as: 'mean_hours' },
      { op: 'sum', field: 'hours', as: 'hours' },
      { op: 'min', field: 'low', as: 'low' },
      { op: 'max', field: 'high', as: 'high' },
    ],
    groupby: ['series', 'label', 'named', 'rank', 'start_ms'],
  },
  calculate('mean', 'datum.hours > 0 ? datum.mean_hours / datum.hours : null'),
  calculate(
    'end_ms',
    `period === 'day' ? datum.start_ms + ${DAY_MS} : period === 'week' ? datum.start_ms + ${7 * DAY_MS} : +utc(utcyear(datum.start_ms), utcmonth(datum.start_ms) + 1, 1)`,
  ),
  calculate('time', 'toDate(datum.start_ms)'),
  calculate('time_end', 'toDate(datum.end_ms)'),
  // The hours that start in the window, which rarely begins and ends with an hour.
  calculate(
    'expected_hours',
    `ceil((min(datum.end_ms, windowEnd, asOf) - 1) / ${HOUR_MS}) - ceil(max(datum.start_ms, windowStart) / ${HOUR_MS})`,
  ),
  calculate('coverage', 'datum.expected_hours > 0 ? min(1, datum.hours / datum.expected_hours) : null'),
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
  queries: { markets },
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
    data: { name: 'markets' },
    transform: [...periods, { filter: 'datum.hours > 0' }, ...comparable],
    layer: [
      {
        name: 'average-band',
        transform: [{ filter: '!compared' }],
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
    'The share of each day, week or month that has data: hours with data ÷ hours. The darker, the more; a period without any is orange, up to now. An average describes only the hours it covers.',
  ofOneCurrency: true,
  queries: { markets },
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
    data: { name: 'markets' },
    transform: [
      ...periods,
      { filter: 'isValid(datum.coverage)' },
      calculate('coverage_text', "format(datum.coverage, '.1%')"),
      calculate('state', "datum.hours > 0 ? 'Data' : 'No data'"),
    ],
    layer: [
      {
        name: 'coverage-bars',
        mark: { type: 'rect', height: barHeight(0.9), clip: true },
        encoding: {
          x: timeAxis(),
          x2: { field: 'time_end' },
          y: rankedNames,
          ...stateAndShare(['Data', 'No data'], 'hours', 'coverage'),
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
