import { CANDLE_INDICES, TICKER_INDICES } from '../../core/market/index-names.ts';
import { DOLLARS } from '../../core/market/turnover.ts';
import type { Chart, ChartQuery, Json, Picture } from './chart.ts';
import {
  bySeries,
  calculate,
  comparable,
  countSeries,
  flatten,
  overTime,
  percentAxis,
  percentText,
  priceAxis,
  seriesColour,
  seriesDrawn,
  seriesNames,
  timeAxis,
  timeText,
  tooltip,
  zeroLine,
} from './parts.ts';

/**
 * Ticks of the series with the highest turnover in dollars. An aggregation cannot convert other currencies, and inverse
 * contracts count coins, so those come after all others.
 */
const ticks: ChartQuery = {
  index: TICKER_INDICES,
  rows: 'aggregations.series.buckets',
  aggs: {
    series: bySeries(
      6,
      {
        dollars: {
          filter: {
            bool: { filter: [{ terms: { quote: DOLLARS } }], must_not: [{ term: { category: 'inverse' } }] },
          },
          aggs: { turnover: { max: { field: 'turnover_24h' } } },
        },
        time: overTime('slot', {
          mean: { avg: { field: 'last_price' } },
          low: { min: { field: 'last_price' } },
          high: { max: { field: 'last_price' } },
          change: { avg: { field: 'price_24h_pcnt' } },
        }),
      },
      { 'dollars>turnover': 'desc' },
    ),
  },
};

/** Candles, for hours without ticks. Two series are enough to see that no single one is picked. */
const candles: ChartQuery = {
  index: CANDLE_INDICES,
  rows: 'aggregations.series.buckets',
  aggs: {
    series: bySeries(2, {
      time: overTime('start', {
        mean: { weighted_avg: { value: { field: 'mean' }, weight: { field: 'hours' } } },
        low: { min: { field: 'low' } },
        high: { max: { field: 'high' } },
        close: { max: { field: 'close' } },
        samples: { max: { field: 'samples' } },
      }),
    }),
  },
};

const rowsOverTime: Json[] = [
  ...seriesNames,
  flatten('time.buckets', 'bucket'),
  calculate('time', 'toDate(datum.bucket.key)'),
  timeText('time_text', 'datum.bucket.key'),
  countSeries,
];

const pricesOf: Json[] = [
  calculate('mean', 'datum.bucket.mean.value'),
  calculate('low', 'datum.bucket.low.value'),
  calculate('high', 'datum.bucket.high.value'),
];

const single = { filter: 'datum.series_count === 1' };
const withoutTicks = { filter: 'datum.series_count === 1 && datum.bucket.samples.value === 0' };

const priceTooltip = tooltip(
  ['time_text', 'From'],
  ['label', 'Series'],
  ['mean_text', 'Mean'],
  ['low_text', 'Lowest'],
  ['high_text', 'Highest'],
);

const priceLayers = (name: string): Json[] => [
  {
    name: `${name}-band`,
    transform: [single],
    mark: { type: 'area', opacity: 0.18, line: false },
    encoding: {
      x: timeAxis(),
      y: { field: 'low', type: 'quantitative', axis: priceAxis, scale: { zero: false } },
      y2: { field: 'high' },
      color: seriesColour,
    },
  },
  {
    name: `${name}-line`,
    mark: { type: 'line', strokeWidth: 1.75, strokeJoin: 'round' },
    encoding: {
      x: timeAxis(),
      y: { field: 'value', type: 'quantitative', axis: priceAxis, scale: { zero: false } },
      color: seriesColour,
    },
  },
  {
    // Large invisible marks that show a tooltip.
    name: `${name}-points`,
    mark: { type: 'point', filled: true, size: 90, opacity: 0 },
    encoding: {
      x: timeAxis(),
      y: { field: 'value', type: 'quantitative', axis: priceAxis },
      color: seriesColour,
      tooltip: priceTooltip,
    },
  },
];

const lastPoint = (field: string): Json => ({
  name: 'last',
  transform: [
    { filter: `isValid(datum.${field})` },
    {
      window: [{ op: 'row_number', as: 'age' }],
      groupby: ['series'],
      sort: [{ field: 'time', order: 'descending' }],
    },
    { filter: 'datum.age === 1' },
  ],
  mark: { type: 'point', filled: true, size: 46, opacity: 1 },
  encoding: { x: timeAxis(), y: { field, type: 'quantitative' }, color: seriesColour },
});

const price: Chart = {
  id: 'price',
  title: 'Price',
  description:
    'Mean price of the polls in each interval, with the band from the lowest to the highest, in the quote currency. Hours without polls come from their candles. Several currencies are drawn as the change since the first price in the window.',
  ofOneCurrency: true,
  queries: { ticks, candles },
  height: 260,
  overTime: true,
  whenEmpty:
    'There are no prices for this currency in this window. Pick a longer window, or wait for the pipeline to collect some.',
  table: {
    layers: ['candles-line', 'ticks-line'],
    columns: [
      { field: 'time', title: 'From', format: 'time' },
      { field: 'mean', title: 'Mean', format: 'price' },
      { field: 'low', title: 'Lowest', format: 'price' },
      { field: 'high', title: 'Highest', format: 'price' },
    ],
  },
  spec: {
    params: [seriesDrawn('ticks')],
    layer: [
      {
        data: { name: 'candles' },
        transform: [...rowsOverTime, ...pricesOf, withoutTicks, ...comparable],
        layer: priceLayers('candles'),
      },
      {
        data: { name: 'ticks' },
        transform: [...rowsOverTime, ...pricesOf, ...comparable],
        layer: [...priceLayers('ticks'), lastPoint('value')],
      },
    ],
  },
};

const changeTooltip = tooltip(['time_text', 'From'], ['label', 'Series'], ['change_text', '24 h change']);

const changeLayers = (name: string): Json[] => [
  {
    name: `${name}-area`,
    transform: [single],
    mark: { type: 'area', opacity: 0.18, line: false },
    encoding: {
      x: timeAxis(),
      y: { field: 'change', type: 'quantitative', axis: percentAxis },
      color: seriesColour,
    },
  },
  {
    name: `${name}-line`,
    mark: { type: 'line', strokeWidth: 1.75, strokeJoin: 'round' },
    encoding: {
      x: timeAxis(),
      y: { field: 'change', type: 'quantitative', axis: percentAxis },
      color: seriesColour,
    },
  },
  {
    name: `${name}-points`,
    mark: { type: 'point', filled: true, size: 90, opacity: 0 },
    encoding: {
      x: timeAxis(),
      y: { field: 'change', type: 'quantitative', axis: percentAxis },
      color: seriesColour,
      tooltip: changeTooltip,
    },
  },
];

/** The close compared with the close 24 hours before, if the buckets are hours and both exist. */
const changeFromCloses: Json[] = [
  calculate('close', 'datum.bucket.close.value'),
  calculate('start_ms', 'datum.bucket.key'),
  {
    window: [
      { op: 'lag', param: 24, field: 'close', as: 'close_before' },
      { op: 'lag', param: 24, field: 'start_ms', as: 'start_before_ms' },
    ],
    groupby: ['series'],
    sort: [{ field: 'start_ms' }],
  },
  withoutTicks,
  calculate(
    'change',
    'isValid(datum.close_before) && isValid(datum.close) && datum.start_ms - datum.start_before_ms === 86400000 ? datum.close / datum.close_before - 1 : null',
  ),
  percentText('change_text', 'datum.change'),
];

const change: Chart = {
  id: 'change',
  title: '24 h change',
  description:
    'The 24 h change as the exchange reports it, averaged over each interval, in per cent. For hours without polls: the close compared with the close 24 hours before.',
  ofOneCurrency: true,
  queries: { ticks, candles },
  height: 170,
  overTime: true,
  whenEmpty: 'The exchange reports no 24 h change for this currency in this window. Pick a longer window.',
  table: {
    layers: ['candles-line', 'ticks-line'],
    columns: [
      { field: 'time', title: 'From', format: 'time' },
      { field: 'change', title: '24 h change', format: 'percent' },
    ],
  },
  spec: {
    layer: [
      zeroLine,
      {
        data: { name: 'candles' },
        transform: [...rowsOverTime, ...changeFromCloses],
        layer: changeLayers('candles'),
      },
      {
        data: { name: 'ticks' },
        transform: [
          ...rowsOverTime,
          calculate('change', 'datum.bucket.change.value'),
          percentText('change_text', 'datum.change'),
        ],
        layer: [...changeLayers('ticks'), lastPoint('change')],
      },
    ],
  },
};

export const priceAndChange: Picture = {
  id: 'price-and-change',
  title: 'Price and 24 h change',
  about: 'The price in its quote currency with its range, and below it the change over 24 hours.',
  usualWindow: '7d',
  charts: [price, change],
};
