import { MOVES_INDEX } from '../../core/market/index-names.ts';
import { colour } from '../palette.ts';
import type { Chart, ChartChoice, ChartQuery, Json, Picture } from './chart.ts';
import { bySeries, calculate, flatten, rankedNames, timeAxis, timeText, tooltip } from './parts.ts';

const threshold: ChartChoice = {
  name: 'threshold',
  label: 'Moves of at least',
  value: 0.05,
  options: [
    { value: 0.01, label: '1 %' },
    { value: 0.02, label: '2 %' },
    { value: 0.05, label: '5 %' },
    { value: 0.1, label: '10 %' },
  ],
};

/** By threshold and direction, and within them by something else. */
const movesBy = (inner: Json): ChartQuery => ({
  index: MOVES_INDEX,
  rows: 'aggregations.thresholds.buckets',
  aggs: {
    thresholds: {
      terms: { field: 'threshold', size: 20 },
      aggs: { directions: { terms: { field: 'direction', size: 2 }, aggs: { inner } } },
    },
  },
});

const WEEK = 7 * 86_400_000;

/** One row for each of the inner buckets, at the threshold that is picked. Doubles: 0.1 may not be quite 0.1. */
const innerRows: Json[] = [
  { filter: 'abs(datum.key - threshold) < 0.000001' },
  flatten('directions.buckets', 'of'),
  flatten('of.inner.buckets', 'bucket'),
  calculate('direction', "datum.of.key === 'rise' ? 'Rises' : 'Falls'"),
  calculate('count', 'datum.bucket.doc_count'),
  calculate('signed', "datum.of.key === 'rise' ? datum.count : -datum.count"),
];

const directionColour: Json = {
  field: 'direction',
  type: 'nominal',
  scale: { domain: ['Rises', 'Falls'], range: [colour('rise'), colour('fall')] },
  legend: { title: null, orient: 'top', direction: 'horizontal' },
};

/** Falls go down (or left), but are counted like rises. */
const countAxis: Json = {
  title: null,
  tickMinStep: 1,
  format: ',d',
  labelExpr: "format(abs(datum.value), ',d')",
};

const perWeek: Chart = {
  id: 'moves-per-week',
  title: 'Moves per week',
  description:
    'How many rises (upwards) and falls (downwards) of at least the picked size were confirmed in each week from Monday on, of all the currencies that are picked.',
  ofOneCurrency: true,
  queries: {
    weeks: movesBy({
      date_histogram: { field: 'confirmed_time', calendar_interval: 'week', min_doc_count: 1 },
    }),
  },
  height: 220,
  overTime: true,
  whenEmpty: 'No move of this size in this window. Pick a smaller size, another currency or a longer window.',
  table: {
    layers: ['weeks'],
    columns: [
      { field: 'time', title: 'Week from', format: 'date' },
      { field: 'direction', title: 'Direction', format: 'text' },
      { field: 'count', title: 'Moves', format: 'count' },
    ],
  },
  spec: {
    data: { name: 'weeks' },
    transform: [
      ...innerRows,
      calculate('time', 'toDate(datum.bucket.key)'),
      calculate('time_end', `toDate(datum.bucket.key + ${WEEK})`),
      timeText('time_text', 'datum.bucket.key', '%Y-%m-%d'),
    ],
    layer: [
      {
        name: 'weeks',
        mark: { type: 'rect', x2Offset: -1.5, cornerRadius: 1, clip: true },
        encoding: {
          x: timeAxis(),
          x2: { field: 'time_end' },
          y: { field: 'signed', type: 'quantitative', axis: countAxis },
          y2: { datum: 0 },
          color: directionColour,
          tooltip: tooltip(['time_text', 'Week from'], ['direction', 'Direction'], ['count', 'Moves']),
        },
      },
      {
        name: 'zero',
        data: { values: [{ zero: 0 }] },
        mark: { type: 'rule', strokeWidth: 1 },
        encoding: { y: { datum: 0, type: 'quantitative' }, color: { value: colour('muted') } },
      },
    ],
  },
};

const byCurrency: Chart = {
  id: 'moves-by-currency',
  title: 'Moves by currency',
  description:
    'How many falls (to the left) and rises (to the right) of at least the picked size each currency made in the window; the ten that moved most often.',
  ofOneCurrency: false,
  queries: { currencies: movesBy(bySeries(20, {})) },
  height: 240,
  overTime: false,
  whenEmpty: 'No move of this size in this window. Pick a smaller size or a longer window.',
  table: {
    layers: ['currencies'],
    columns: [
      { field: 'rank', title: 'Rank', format: 'count' },
      { field: 'label', title: 'Series', format: 'text' },
      { field: 'direction', title: 'Direction', format: 'text' },
      { field: 'count', title: 'Moves', format: 'count' },
    ],
  },
  spec: {
    data: { name: 'currencies' },
    transform: [
      ...innerRows,
      calculate('series', "join(datum.bucket.key, ':')"),
      calculate('label', "datum.bucket.key[2] + ' · ' + datum.bucket.key[0] + ' ' + datum.bucket.key[1]"),
      { joinaggregate: [{ op: 'sum', field: 'count', as: 'both' }], groupby: ['series'] },
      {
        window: [{ op: 'dense_rank', as: 'rank' }],
        sort: [{ field: 'both', order: 'descending' }, { field: 'series' }],
      },
      { filter: 'datum.rank <= 10' },
    ],
    layer: [
      {
        name: 'currencies',
        mark: { type: 'bar', height: { band: 0.7 }, cornerRadius: 1 },
        encoding: {
          y: rankedNames,
          x: { field: 'signed', type: 'quantitative', axis: countAxis, stack: null },
          color: directionColour,
          tooltip: tooltip(['label', 'Series'], ['direction', 'Direction'], ['count', 'Moves']),
        },
      },
    ],
  },
};

/** Fine enough to be put together into any wider bins. */
const FINE_BIN = 0.005;

const sizes: Chart = {
  id: 'move-sizes',
  title: 'How large they were in the end',
  description:
    'How many completed moves reached which size, from the extreme that they left to the extreme that they reached, in per cent.',
  ofOneCurrency: true,
  queries: { sizes: movesBy({ histogram: { field: 'size', interval: FINE_BIN, min_doc_count: 1 } }) },
  height: 220,
  overTime: false,
  whenEmpty:
    'No completed move of this size in this window: the size of a move is known when the next opposite one is confirmed.',
  table: {
    layers: ['sizes'],
    columns: [
      { field: 'from', title: 'Size from', format: 'share' },
      { field: 'to', title: 'to', format: 'share' },
      { field: 'direction', title: 'Direction', format: 'text' },
      { field: 'moves', title: 'Moves', format: 'count' },
    ],
  },
  spec: {
    data: { name: 'sizes' },
    transform: [
      ...innerRows,
      // The middle of the fine bin: its edge may lie a rounding error off.
      calculate('middle', `datum.bucket.key + ${FINE_BIN / 2}`),
      { bin: { maxbins: 30, minstep: 0.01 }, field: 'middle', as: ['from', 'to'] },
      {
        aggregate: [{ op: 'sum', field: 'count', as: 'moves' }],
        groupby: ['from', 'to', 'direction'],
      },
      calculate('signed', "datum.direction === 'Rises' ? datum.moves : -datum.moves"),
      calculate('size_text', "format(datum.from, '.1%') + ' to ' + format(datum.to, '.1%')"),
    ],
    layer: [
      {
        name: 'sizes',
        mark: { type: 'rect', x2Offset: -1.5, cornerRadius: 1 },
        encoding: {
          x: {
            field: 'from',
            type: 'quantitative',
            scale: { zero: true },
            axis: { title: null, format: '.3~%', grid: false },
          },
          x2: { field: 'to' },
          y: { field: 'signed', type: 'quantitative', axis: countAxis },
          y2: { datum: 0 },
          color: directionColour,
          tooltip: tooltip(['size_text', 'Size'], ['direction', 'Direction'], ['moves', 'Moves']),
        },
      },
    ],
  },
};

/** How often and how far a price moves. */
export const priceMoves: Picture = {
  id: 'moves',
  title: 'Rises and falls',
  about:
    'A rise is confirmed when the price lies the picked size above the lowest since the last fall, a fall likewise (directional changes). Moves that reverse between two polls cannot be seen: the sampling interval is stated above.',
  usualWindow: '1y',
  atLeastDays: 90,
  choices: [threshold],
  charts: [perWeek, sizes, byCurrency],
};
