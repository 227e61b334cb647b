import { colour } from '../palette.ts';
import type { Chart, Json, Picture } from './chart.ts';
import { candlesThenTicks, mainMarkets, marketsOverTime, reach } from './markets.ts';
import {
  calculate,
  overTime,
  percentText,
  priceText,
  themedText,
  timeAxis,
  timeText,
  tooltip,
} from './parts.ts';
import { logReturns, pooledVolatility } from './volatility.ts';

const extremes: Json = { low: { min: { field: 'low' } }, high: { max: { field: 'high' } } };

/** A field of the first or last candle. The indices of tickers have no `start`. */
const candleAt = (order: 'asc' | 'desc', field: string): Json => ({
  top_hits: {
    size: 1,
    _source: false,
    sort: [{ start: { order, unmapped_type: 'date' } }],
    docvalue_fields: [field],
  },
});

const totals = marketsOverTime({
  filters: { filters: [{ exists: { field: 'start' } }] },
  aggs: { ...logReturns, ...extremes, last: candleAt('desc', 'close') },
});

const hasNewerTick =
  'length(datum.ticks.buckets) > 0 && peek(datum.ticks.buckets).key >= datum.candles_end_ms';

/** One row for each market: its candles' totals, with the ticks of hours after them. */
const totalsOfMarkets: Json[] = [
  ...mainMarkets,
  ...candlesThenTicks,
  { filter: 'datum.is_candle || datum.start_ms >= datum.candles_end_ms' },
  calculate('low', 'datum.bucket.low.value'),
  calculate('high', 'datum.bucket.high.value'),
  {
    joinaggregate: [
      { op: 'min', field: 'low', as: 'lowest' },
      { op: 'max', field: 'high', as: 'highest' },
    ],
    groupby: ['series'],
  },
  { filter: 'datum.is_candle' },
  calculate('hourly', 'datum.bucket.hourly'),
  calculate('daily', 'datum.bucket.daily'),
  ...pooledVolatility,
  calculate('last_hits', 'datum.bucket.last.hits.hits'),
  calculate(
    'last',
    `${hasNewerTick} ? datum.price : length(datum.last_hits) > 0 ? datum.last_hits[0].fields.close[0] : null`,
  ),
  calculate(
    'change',
    'isValid(datum.price) && isValid(datum.tick.price_24h_pcnt) ? datum.tick.price_24h_pcnt[0] : datum.last_day.returns.hours.value === 24 ? exp(datum.last_day.returns.sum.value) - 1 : null',
  ),
  calculate(
    'day_turnover',
    "isValid(datum.turnover) ? (datum.key[1] === 'inverse' ? datum.turnover * datum.price : datum.turnover) : datum.last_day.turnover.value > 0 ? datum.last_day.turnover.value : null",
  ),
];

const FIGURES = ['Last price', '24 h change', 'Lowest', 'Highest', '24 h turnover', 'Volatility a year'];

const headline: Chart = {
  id: 'headline',
  title: 'At a glance',
  description:
    'For each currency’s main market: the last price, the 24-hour change and turnover as the exchange reports them (or from its candles), and the lowest price, the highest price and the volatility in the time range. Prices and turnover are in the quote currency.',
  ofOneCurrency: true,
  queries: { markets: totals },
  height: 120,
  overTime: false,
  whenEmpty: 'There are no prices in this time range. Pick a longer one, or another currency.',
  table: {
    layers: ['figures'],
    columns: [
      { field: 'label', title: 'Series', format: 'text' },
      { field: 'figure', title: 'Figure', format: 'text' },
      { field: 'text', title: 'Value', format: 'text' },
    ],
  },
  spec: {
    data: { name: 'markets' },
    transform: [
      ...totalsOfMarkets,
      { filter: 'isValid(datum.last)' },
      priceText('Last price', 'datum.last'),
      percentText('24 h change', 'datum.change'),
      priceText('Lowest', 'datum.lowest'),
      priceText('Highest', 'datum.highest'),
      calculate(
        '24 h turnover',
        "isValid(datum.day_turnover) ? replace(format(datum.day_turnover, '.3~s'), 'G', 'B') : '–'",
      ),
      calculate('Volatility a year', "isValid(datum.volatility) ? format(datum.volatility, ',.1%') : '–'"),
      { fold: FIGURES, as: ['figure', 'text'] },
    ],
    layer: [
      {
        name: 'figures',
        mark: { ...themedText, fontSize: { expr: 'compared ? 13 : 24' } },
        encoding: {
          x: {
            field: 'figure',
            type: 'nominal',
            scale: { domain: FIGURES },
            axis: { title: null, orient: 'top', labelAngle: 0, domain: false, ticks: false, labelPadding: 4 },
          },
          y: {
            field: 'named',
            type: 'nominal',
            sort: { field: 'rank', op: 'min' },
            axis: { title: null, domain: false, ticks: false, labelLimit: 320, labelPadding: 8 },
          },
          text: { field: 'text' },
        },
      },
    ],
  },
};

const prices = marketsOverTime(
  overTime(
    'start',
    {
      ...extremes,
      first: candleAt('asc', 'open'),
      last: candleAt('desc', 'close'),
      hours: { sum: { field: 'hours' } },
    },
    100,
  ),
  // Hits in each bucket take long.
  { usual: ['BTC'], perShard: 12 },
);

const candleAxes = (from: string, to: string): Json => ({
  y: {
    field: from,
    type: 'quantitative',
    scale: { zero: false },
    axis: { title: null, tickCount: 5, labelExpr: "format(datum.value, ',.6~r')" },
  },
  y2: { field: to },
  color: {
    field: 'direction',
    type: 'nominal',
    scale: { domain: ['Rise', 'Fall'], range: [colour('rise'), colour('fall')] },
    legend: { title: null, orient: 'top', direction: 'horizontal' },
  },
});

const candlesticks: Chart = {
  id: 'candlesticks',
  title: 'Candlesticks',
  description:
    'First, highest, lowest and last price in each interval, of closed hours, in the quote currency: of the picked currency’s main market, or of BTC’s, or of the largest.',
  ofOneCurrency: true,
  queries: { candles: prices },
  height: 260,
  overTime: true,
  whenEmpty: 'There are no candles in this time range. Candles are made when an hour closes.',
  table: {
    layers: ['bodies'],
    columns: [
      { field: 'time', title: 'From', format: 'time' },
      { field: 'open', title: 'Open', format: 'price' },
      { field: 'high', title: 'High', format: 'price' },
      { field: 'low', title: 'Low', format: 'price' },
      { field: 'close', title: 'Close', format: 'price' },
    ],
  },
  spec: {
    data: { name: 'candles' },
    transform: [
      ...mainMarkets,
      { filter: 'datum.rank === 1' },
      ...candlesThenTicks,
      { filter: 'datum.is_candle && datum.bucket.doc_count > 0' },
      reach,
      calculate('open', 'datum.bucket.first.hits.hits[0].fields.open[0]'),
      calculate('close', 'datum.bucket.last.hits.hits[0].fields.close[0]'),
      calculate('low', 'datum.bucket.low.value'),
      calculate('high', 'datum.bucket.high.value'),
      calculate('direction', "datum.close >= datum.open ? 'Rise' : 'Fall'"),
      calculate('time', 'toDate(datum.start_ms + 0.5 * datum.reach_ms)'),
      calculate('body_start', 'toDate(datum.start_ms + 0.15 * datum.reach_ms)'),
      calculate('body_end', 'toDate(datum.start_ms + 0.85 * datum.reach_ms)'),
      timeText('time_text', 'datum.start_ms'),
      priceText('open_text', 'datum.open'),
      priceText('high_text', 'datum.high'),
      priceText('low_text', 'datum.low'),
      priceText('close_text', 'datum.close'),
    ],
    layer: [
      {
        name: 'wicks',
        mark: { type: 'rule', clip: true },
        encoding: { x: timeAxis(), ...candleAxes('low', 'high') },
      },
      {
        name: 'bodies',
        // The outline shows a candle whose first and last price are the same.
        mark: { type: 'rect', clip: true, strokeWidth: 1 },
        encoding: {
          x: timeAxis('body_start'),
          x2: { field: 'body_end' },
          ...candleAxes('open', 'close'),
          tooltip: tooltip(
            ['time_text', 'From'],
            ['label', 'Series'],
            ['open_text', 'Open'],
            ['high_text', 'High'],
            ['low_text', 'Low'],
            ['close_text', 'Close'],
          ),
        },
      },
      {
        name: 'name',
        transform: [{ aggregate: [{ op: 'count', as: 'candles' }], groupby: ['named'] }],
        mark: { ...themedText, align: 'left', baseline: 'top', x: 6, y: 4 },
        encoding: { text: { field: 'named' } },
      },
    ],
  },
};

export const marketNow: Picture = {
  id: 'market-now',
  title: 'At a glance',
  about: 'The figures of the main market of each currency, and candlesticks of the largest.',
  usualWindow: '7d',
  charts: [headline, candlesticks],
};
