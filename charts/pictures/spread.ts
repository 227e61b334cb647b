import { TICKER_INDICES } from '../../core/market/index-names.ts';
import type { Chart, ChartQuery, Json, Picture } from './chart.ts';
import {
  bySeries,
  calculate,
  flatten,
  overTime,
  seriesColour,
  seriesNames,
  timeAxis,
  timeText,
  tooltip,
  zeroLine,
} from './parts.ts';

/** Ticks that have all of these fields, averaged over intervals. */
function meansOf(...fields: string[]): ChartQuery {
  const means = Object.fromEntries(fields.map((field) => [field, { avg: { field } }]));
  return {
    index: TICKER_INDICES,
    rows: 'aggregations.series.buckets',
    aggs: {
      series: bySeries(6, {
        told: {
          filter: { bool: { filter: fields.map((field) => ({ exists: { field } })) } },
          aggs: { time: overTime('slot', means) },
        },
      }),
    },
  };
}

/** A line for each series, of a value in basis points: 0.01 %. */
function lines(data: string, expression: string, title: string): Json {
  const axes: Json = {
    x: timeAxis(),
    y: { field: 'points', type: 'quantitative', axis: { title: null, tickCount: 5, format: ',.3~r' } },
    color: seriesColour,
  };
  return {
    data: { name: data },
    transform: [
      ...seriesNames,
      calculate('named', 'datum.label'),
      { window: [{ op: 'row_number', as: 'rank' }] },
      flatten('told.time.buckets', 'bucket'),
      calculate('time', 'toDate(datum.bucket.key)'),
      calculate('points', `datum.bucket.doc_count > 0 ? 10000 * (${expression}) : null`),
      calculate('points_text', "isValid(datum.points) ? format(datum.points, ',.2f') + ' bp' : '–'"),
      timeText('time_text', 'datum.bucket.key'),
    ],
    layer: [
      {
        name: `${data}-line`,
        mark: { type: 'line', strokeWidth: 1.75, strokeJoin: 'round' },
        encoding: axes,
      },
      {
        // Large invisible marks that show a tooltip.
        name: `${data}-points`,
        mark: { type: 'point', filled: true, size: 90, opacity: 0 },
        encoding: {
          ...axes,
          tooltip: tooltip(['time_text', 'From'], ['label', 'Series'], ['points_text', title]),
        },
      },
    ],
  };
}

const spread: Chart = {
  id: 'spread',
  title: 'Spread',
  description:
    'What buying at the ask and selling at the bid costs: the mean ask − the mean bid of each interval, ÷ the mean of both, in basis points (0.01 %).',
  ofOneCurrency: true,
  queries: { quotes: meansOf('bid_price', 'ask_price') },
  height: 150,
  overTime: true,
  whenEmpty: 'The exchange reports no bid and ask for this currency in this window.',
  table: {
    layers: ['quotes-line'],
    columns: [
      { field: 'time', title: 'From', format: 'time' },
      { field: 'points', title: 'Basis points', format: 'number' },
    ],
  },
  spec: lines(
    'quotes',
    '(datum.bucket.ask_price.value - datum.bucket.bid_price.value) / ((datum.bucket.ask_price.value + datum.bucket.bid_price.value) / 2)',
    'Spread',
  ),
};

const funding: Chart = {
  id: 'funding',
  title: 'Funding rate',
  description:
    'What holders of long positions in a perpetual contract pay holders of short ones at each funding, averaged over each interval, in basis points (0.01 %). Below zero, shorts pay longs.',
  ofOneCurrency: true,
  queries: { rates: meansOf('funding_rate') },
  height: 150,
  overTime: true,
  whenEmpty:
    'The exchange reports no funding rate for this currency in this window: only perpetual contracts have one.',
  table: {
    layers: ['rates-line'],
    columns: [
      { field: 'time', title: 'From', format: 'time' },
      { field: 'points', title: 'Basis points', format: 'number' },
    ],
  },
  spec: { layer: [zeroLine, lines('rates', 'datum.bucket.funding_rate.value', 'Funding rate')] },
};

export const spreadAndFunding: Picture = {
  id: 'spread-and-funding',
  title: 'Spread and funding',
  about: 'What trading costs besides the price, where the exchange reports it with each tick.',
  usualWindow: '7d',
  onlyWithData: true,
  charts: [spread, funding],
};
