import { MOVES_INDEX } from '../../core/market/index-names.ts';
import { THRESHOLD_TOLERANCE } from '../../core/market/threshold.ts';
import { DAY_MS } from '../../core/market/time.ts';
import { colour } from '../palette.ts';
import type { Chart, ChartChoice, ChartQuery, Json, Picture } from './chart.ts';
import {
  barHeight,
  bySeries,
  calculate,
  flatten,
  rankedNames,
  seriesNamesOf,
  timeAxis,
  timeText,
  tooltip,
  zeroLine,
} from './parts.ts';

/** How large the moves of a picture are at least, as a choice of these fractions. */
export const thresholdChoice = (fractions: readonly number[]): ChartChoice => ({
  name: 'threshold',
  label: 'Moves of at least',
  value: 0.05,
  options: fractions.map((value) => ({ value, label: `${Math.round(value * 100)} %` })),
});

const threshold = thresholdChoice([0.01, 0.02, 0.05, 0.1]);

const directionsBy = (inner: Json): Json => ({
  directions: { terms: { field: 'direction', size: 2 }, aggs: { inner } },
});

/** Moves by threshold, and by `aggs` within them. */
const movesBy = (aggs: Json): ChartQuery => ({
  index: MOVES_INDEX,
  rows: 'aggregations.thresholds.buckets',
  aggs: { thresholds: { terms: { field: 'threshold', size: 20 }, aggs } },
});

const WEEK = 7 * DAY_MS;

/** Thresholds are doubles, so 0.1 may not be exactly 0.1. */
const ofPickedThreshold: Json = { filter: 'abs(datum.key - threshold) < 0.000001' };

const directionNames: Json[] = [
  calculate('direction', "datum.of.key === 'rise' ? 'Rises' : 'Falls'"),
  calculate('signed', "datum.of.key === 'rise' ? datum.count : -datum.count"),
];

/** One row per inner bucket at the picked threshold. */
const innerRows: Json[] = [
  ofPickedThreshold,
  flatten('directions.buckets', 'of'),
  flatten('of.inner.buckets', 'bucket'),
  calculate('count', 'datum.bucket.doc_count'),
  ...directionNames,
];

/** Of both directions together, so that none is missing of a series that mostly moves one way. */
const MOST_SERIES = 10;
/** Every series that a shard knows: otherwise those that are rare in one of the shards would lack its moves. */
const SERIES_PER_SHARD = 65_000;

const directionColour: Json = {
  field: 'direction',
  type: 'nominal',
  scale: { domain: ['Rises', 'Falls'], range: [colour('rise'), colour('fall')] },
  legend: { title: null, orient: 'top', direction: 'horizontal' },
};

/** Falls point down (or left), but their labels are positive. */
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
    'Rises (up) and falls (down) of at least the picked size that were confirmed in each week, from Monday, for all picked currencies.',
  ofOneCurrency: true,
  queries: {
    weeks: movesBy(
      directionsBy({
        date_histogram: { field: 'confirmed_time', calendar_interval: 'week', min_doc_count: 1 },
      }),
    ),
  },
  height: 220,
  overTime: true,
  whenEmpty:
    'There are no moves of this size in this window. Pick a smaller size, another currency or a longer window.',
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
      zeroLine,
    ],
  },
};

const byCurrency: Chart = {
  id: 'moves-by-currency',
  title: 'Moves by currency',
  description:
    'Falls (left) and rises (right) of at least the picked size in the window, for the ten currencies that moved most often.',
  ofOneCurrency: false,
  pickedFrom: 'currencies',
  queries: {
    currencies: movesBy({
      series: bySeries(
        MOST_SERIES,
        { directions: { terms: { field: 'direction', size: 2 } } },
        { shard_size: SERIES_PER_SHARD },
      ),
    }),
  },
  height: 240,
  overTime: false,
  whenEmpty: 'There are no moves of this size in this window. Pick a smaller size or a longer window.',
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
      ofPickedThreshold,
      flatten('series.buckets', 'bucket'),
      ...seriesNamesOf('datum.bucket.key'),
      {
        window: [{ op: 'row_number', as: 'rank' }],
        sort: [{ field: 'bucket.doc_count', order: 'descending' }, { field: 'series' }],
      },
      flatten('bucket.directions.buckets', 'of'),
      calculate('count', 'datum.of.doc_count'),
      ...directionNames,
    ],
    layer: [
      {
        name: 'currencies',
        mark: { type: 'bar', height: barHeight(0.7), cornerRadius: 1 },
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

/** Fine enough to be merged into any wider bins. */
const FINE_BIN = 0.005;
/** Bins begin just below their round edges, or a move of exactly 5 % would be drawn among the smaller ones. */
const FINE_BINS = {
  field: 'size',
  interval: FINE_BIN,
  offset: FINE_BIN - THRESHOLD_TOLERANCE,
  min_doc_count: 1,
};

const sizes: Chart = {
  id: 'move-sizes',
  title: 'How large they became',
  description: 'Completed moves by size, from one extreme to the next, in per cent.',
  ofOneCurrency: true,
  queries: { sizes: movesBy(directionsBy({ histogram: FINE_BINS })) },
  height: 220,
  overTime: false,
  whenEmpty:
    'There are no completed moves of this size in this window. The size of a move is known once the next opposite move is confirmed.',
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
      // The middle of the bin, because its edge may be off by a rounding error.
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

export const priceMoves: Picture = {
  id: 'moves',
  title: 'Rises and falls',
  about:
    'A rise is confirmed when the price is the picked size above its low since the last fall; falls mirror it (directional changes). Moves that reverse between two known prices cannot be seen: between two polls, or the four prices of a backfilled candle.',
  usualWindow: '1y',
  atLeastDays: 90,
  choices: [threshold],
  charts: [perWeek, sizes, byCurrency],
};
