import { TICKER_INDICES } from '../../core/market/index-names.ts';
import { colour } from '../palette.ts';
import type { Chart, Json, Picture } from './chart.ts';
import {
  barHeight,
  byEverySeries,
  calculate,
  everySeriesNames,
  percentAxis,
  percentText,
  rankedNames,
  tooltip,
  zeroLine,
} from './parts.ts';

const PERCENTS = [1, 5, 25, 50, 75, 95, 99];
const MOST = 10;

const bar = (low: string, high: string, opacity: number, height: number): Json => ({
  name: `${low}-${high}`,
  mark: { type: 'bar', height: barHeight(height), opacity, cornerRadius: 2 },
  encoding: {
    x: { field: low, type: 'quantitative', axis: percentAxis },
    x2: { field: high },
    y: rankedNames,
    color: { value: colour('main') },
  },
});

const bands: Chart = {
  id: 'bands',
  title: 'Percentiles of the 24 h change',
  description: `The ${MOST} currencies with the widest spread of 24 h changes: for each, bands from the 1st to the 99th, 5th to 95th and 25th to 75th percentile, and the median, in per cent.`,
  ofOneCurrency: false,
  pickedFrom: 'pointer',
  queries: {
    series: {
      index: TICKER_INDICES,
      rows: 'aggregations.series.buckets',
      aggs: {
        series: byEverySeries({
          change: { percentiles: { field: 'price_24h_pcnt', percents: PERCENTS } },
          stated: { value_count: { field: 'price_24h_pcnt' } },
        }),
      },
    },
  },
  height: 300,
  overTime: false,
  whenEmpty:
    'No poll in this window has a 24 h change. Run "npm start" to collect some, or pick a longer window.',
  table: {
    layers: ['p1-p99'],
    columns: [
      { field: 'rank', title: 'Rank', format: 'count' },
      { field: 'label', title: 'Series', format: 'text' },
      { field: 'samples', title: 'Polls', format: 'count' },
      ...PERCENTS.map(
        (percent) => ({ field: `p${percent}`, title: `${percent} %`, format: 'percent' }) as const,
      ),
    ],
  },
  spec: {
    data: { name: 'series' },
    transform: [
      ...everySeriesNames,
      ...PERCENTS.map((percent) => calculate(`p${percent}`, `datum.change.values['${percent}.0']`)),
      calculate('samples', 'datum.stated.value'),
      { filter: 'datum.samples > 0' },
      calculate('spread', 'datum.p99 - datum.p1'),
      {
        window: [{ op: 'row_number', as: 'rank' }],
        sort: [{ field: 'spread', order: 'descending' }, { field: 'series' }],
      },
      { filter: `datum.rank <= ${MOST}` },
      ...PERCENTS.map((percent) => percentText(`p${percent}_text`, `datum.p${percent}`)),
    ],
    layer: [
      bar('p1', 'p99', 0.25, 0.22),
      bar('p5', 'p95', 0.4, 0.45),
      bar('p25', 'p75', 0.75, 0.7),
      {
        name: 'median',
        // A bar without width, whose outline is drawn: Vega-Lite 5.6 knows no `height` of a tick.
        mark: { type: 'bar', height: barHeight(0.7), strokeWidth: 2.5 },
        encoding: {
          x: { field: 'p50', type: 'quantitative', axis: percentAxis },
          x2: { field: 'p50' },
          y: rankedNames,
          stroke: { value: colour('second') },
        },
      },
      {
        name: 'pointer',
        mark: { type: 'bar', height: barHeight(1), opacity: 0 },
        encoding: {
          x: { field: 'p1', type: 'quantitative', axis: percentAxis },
          x2: { field: 'p99' },
          y: rankedNames,
          tooltip: tooltip(
            ['label', 'Series'],
            ['samples', 'Polls'],
            ...PERCENTS.map((percent): [string, string] => [`p${percent}_text`, `${percent} %`]),
          ),
        },
      },
      {
        ...zeroLine,
        encoding: { x: { datum: 0, type: 'quantitative' }, color: { value: colour('muted') } },
      },
    ],
  },
};

export const percentileBands: Picture = {
  id: 'percentile-bands',
  title: 'How much it moves in a day',
  about: `Percentiles (1, 5, 25, 50, 75, 95, 99) of the 24 h change in every poll, for the ${MOST} currencies with the widest spread from the 1st to the 99th.`,
  usualWindow: '7d',
  charts: [bands],
};
