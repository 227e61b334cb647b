import { DAY_MS } from '../../core/market/time.ts';
import type { Chart, Json, Picture, TableColumn } from './chart.ts';
import { candlesThenTicks, mainMarkets, marketsOverTime, reach, returns, withoutGaps } from './markets.ts';
import {
  calculate,
  comparable,
  intervalHours,
  overTime,
  percentAxis,
  percentText,
  priceAxis,
  seriesColour,
  timeAxis,
  timeText,
  tooltip,
  zeroLine,
} from './parts.ts';

const markets = marketsOverTime(
  overTime('start', {
    mean: { weighted_avg: { value: { field: 'mean' }, weight: { field: 'hours' } } },
    low: { min: { field: 'low' } },
    high: { max: { field: 'high' } },
    close: { max: { field: 'close' } },
    hours: { sum: { field: 'hours' } },
    returns,
  }),
);

/** With the day before, whose closes the first changes compare with. */
const withDayBefore = { ...markets, daysBefore: 1 };

const timeOfRow: Json[] = [
  calculate('time', 'toDate(datum.start_ms)'),
  timeText('time_text', 'datum.start_ms'),
];

interface Line {
  /** Names the layers. */
  name: string;
  field: string;
  axis: Json;
  /** Between `y` and `y2`, if a single currency is drawn. */
  band: { y: string; y2?: string };
  tooltip: Json[];
}

/** A line for each series, with a band if there is only one, and tooltips. */
function lineLayers({ name, field, axis, band, tooltip }: Line): Json[] {
  const y = { field, type: 'quantitative', axis, scale: { zero: false } };
  const ofSegments = { color: seriesColour, detail: { field: 'segment', type: 'nominal' } };
  const point = (size: number, opacity: number) => ({ type: 'point', filled: true, size, opacity });
  return [
    {
      name: `${name}-band`,
      transform: [{ filter: '!compared' }],
      mark: { type: 'area', opacity: 0.18, line: false },
      encoding: {
        x: timeAxis(),
        y: { ...y, field: band.y },
        ...(band.y2 ? { y2: { field: band.y2 } } : {}),
        ...ofSegments,
      },
    },
    {
      name: `${name}-line`,
      mark: { type: 'line', strokeWidth: 1.75, strokeJoin: 'round' },
      encoding: { x: timeAxis(), y, ...ofSegments },
    },
    {
      // A line of one point is invisible.
      name: `${name}-dots`,
      transform: [{ filter: 'datum.segment_length === 1' }],
      mark: point(14, 1),
      encoding: { x: timeAxis(), y, color: seriesColour },
    },
    {
      name: `${name}-last`,
      transform: [
        { joinaggregate: [{ op: 'max', field: 'start_ms', as: 'last_ms' }], groupby: ['series'] },
        { filter: 'datum.start_ms === datum.last_ms' },
      ],
      mark: point(46, 1),
      encoding: { x: timeAxis(), y, color: seriesColour },
    },
    {
      // Large invisible marks that show a tooltip.
      name: `${name}-points`,
      mark: point(90, 0),
      encoding: { x: timeAxis(), y, color: seriesColour, tooltip },
    },
  ];
}

/** The table behind a line of prices with its range. */
export const priceColumns: TableColumn[] = [
  { field: 'time', title: 'From', format: 'time' },
  { field: 'mean', title: 'Mean', format: 'price' },
  { field: 'low', title: 'Lowest', format: 'price' },
  { field: 'high', title: 'Highest', format: 'price' },
];

const price: Chart = {
  id: 'price',
  title: 'Price',
  description:
    'Mean price in each interval, with the band from the lowest to the highest, in the quote currency: from candles, or from ticks for hours without one. For a currency with several markets, the main one is drawn, where most units of it are traded. Several currencies are drawn as the change since their first price in the window.',
  ofOneCurrency: true,
  queries: { markets },
  height: 260,
  overTime: true,
  whenEmpty:
    'There are no prices for this currency in this window. Pick a longer window, or wait for the pipeline to collect some.',
  table: {
    layers: ['price-line'],
    columns: priceColumns,
  },
  spec: {
    data: { name: 'markets' },
    transform: [
      ...mainMarkets,
      ...candlesThenTicks,
      {
        filter: 'datum.bucket.doc_count > 0 && (datum.is_candle || datum.start_ms >= datum.candles_end_ms)',
      },
      reach,
      ...withoutGaps,
      ...timeOfRow,
      calculate('mean', 'datum.bucket.mean.value'),
      calculate('low', 'datum.bucket.low.value'),
      calculate('high', 'datum.bucket.high.value'),
      ...comparable,
    ],
    layer: lineLayers({
      name: 'price',
      field: 'value',
      axis: priceAxis,
      band: { y: 'low', y2: 'high' },
      tooltip: tooltip(
        ['time_text', 'From'],
        ['label', 'Series'],
        ['mean_text', 'Mean'],
        ['low_text', 'Lowest'],
        ['high_text', 'Highest'],
      ),
    }),
  },
};

/** The log returns of the last `buckets` buckets, and the hours that they span. */
const returnsOfLast = (buckets: number): Json => ({
  window: [
    { op: 'sum', field: 'returned', as: `returned_${buckets}` },
    { op: 'sum', field: 'returned_hours', as: `returned_hours_${buckets}` },
  ],
  groupby: ['series', 'is_candle'],
  sort: [{ field: 'start_ms' }],
  frame: [1 - buckets, 0],
});

/**
 * The change over 24 hours up to the end of each bucket of candles: between the closes if buckets are hours, or else
 * from the log returns, which have to be complete. Of a longer bucket, the average day's.
 */
const changeOfCandles: Json[] = [
  calculate('interval', intervalHours('datum.candles.interval')),
  calculate('close', 'datum.is_candle ? datum.bucket.close.value : null'),
  calculate('returned', 'datum.is_candle ? datum.bucket.returns.sum.value : 0'),
  calculate('returned_hours', 'datum.is_candle ? datum.bucket.returns.hours.value : 0'),
  {
    window: [
      { op: 'lag', param: 24, field: 'close', as: 'close_before' },
      { op: 'lag', param: 24, field: 'start_ms', as: 'close_before_ms' },
    ],
    groupby: ['series', 'is_candle'],
    sort: [{ field: 'start_ms' }],
  },
  returnsOfLast(8),
  returnsOfLast(2),
  calculate(
    'from_closes',
    `isValid(datum.close) && isValid(datum.close_before) && datum.start_ms - datum.close_before_ms === ${DAY_MS} ? datum.close / datum.close_before - 1 : null`,
  ),
  calculate(
    'from_returns',
    'datum.interval === 3 ? (datum.returned_hours_8 === 24 ? exp(datum.returned_8) - 1 : null) : datum.interval === 12 ? (datum.returned_hours_2 === 24 ? exp(datum.returned_2) - 1 : null) : datum.returned_hours > 0 ? exp(datum.returned * 24 / datum.returned_hours) - 1 : null',
  ),
  calculate(
    'recorded_change',
    '!datum.is_candle ? null : datum.interval === 1 ? datum.from_closes : datum.from_returns',
  ),
];

const change: Chart = {
  id: 'change',
  title: '24 h change',
  description:
    'The change over 24 hours, in per cent: each close compared with the close 24 hours before. Where that is unknown, the change that the exchange reports. In intervals longer than a day, the change of an average day.',
  ofOneCurrency: true,
  queries: { day_before: withDayBefore },
  height: 170,
  overTime: true,
  whenEmpty:
    'There is no price 24 hours before another in this window, and the exchange reports no 24 h change. Pick a longer window.',
  table: {
    layers: ['change-line'],
    columns: [
      { field: 'time', title: 'From', format: 'time' },
      { field: 'change', title: '24 h change', format: 'percent' },
    ],
  },
  spec: {
    layer: [
      zeroLine,
      {
        data: { name: 'day_before' },
        transform: [
          ...mainMarkets,
          ...candlesThenTicks,
          ...changeOfCandles,
          {
            filter:
              'datum.bucket.doc_count > 0 && (datum.is_candle || datum.start_ms >= datum.candles_end_ms || datum.interval === 1)',
          },
          reach,
          calculate('stated_change', 'datum.is_candle ? null : datum.bucket.change.value'),
          {
            aggregate: [
              { op: 'max', field: 'recorded_change', as: 'recorded_change' },
              { op: 'max', field: 'stated_change', as: 'stated_change' },
              { op: 'max', field: 'reach_ms', as: 'reach_ms' },
            ],
            groupby: ['series', 'label', 'named', 'rank', 'start_ms'],
          },
          calculate('change', 'isValid(datum.recorded_change) ? datum.recorded_change : datum.stated_change'),
          { filter: 'isValid(datum.change) && datum.start_ms >= windowStart' },
          ...withoutGaps,
          ...timeOfRow,
          percentText('change_text', 'datum.change'),
        ],
        layer: lineLayers({
          name: 'change',
          field: 'change',
          axis: percentAxis,
          band: { y: 'change' },
          tooltip: tooltip(['time_text', 'From'], ['label', 'Series'], ['change_text', '24 h change']),
        }),
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
