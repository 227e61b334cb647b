import { CANDLE_INDICES, TICKER_INDICES } from '../../core/market/index-names.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import { colour } from '../palette.ts';
import type { Chart, Json, Picture } from './chart.ts';
import { barHeight, calculate, percentAxis, percentText, rankedNames, tooltip, zeroLine } from './parts.ts';
import { coverage, everySeries, firstOfEveryMarket, ranked, script, windowParams } from './ranked-series.ts';

const PERCENTS = [1, 5, 25, 50, 75, 95, 99];
const MOST = 10;

/** Whether its ticks reach over most of the window. OpenSearch cannot know here how many polls were due. */
const isCovered = script(
  'params.last - params.first >= params.least * (params.to - params.from) ? 1 : 0',
  { first: 'earliest', last: 'last' },
  windowParams,
);

/**
 * From the candles. Before the first candle: as many as the series with the most polls would have in the
 * whole window.
 */
const pollsDue: Json[] = [
  calculate('first_ms', 'datum.of.earliest.value'),
  calculate('last_ms', 'datum.of.last.value'),
  {
    joinaggregate: [
      { op: 'max', field: 'samples', as: 'most_samples' },
      { op: 'min', field: 'first_ms', as: 'market_first_ms' },
      { op: 'max', field: 'last_ms', as: 'market_last_ms' },
    ],
    groupby: ['exchange', 'category'],
  },
  calculate('window_ms', 'windowEnd - windowStart'),
  calculate(
    'polls_due',
    `datum.market.hour.polls.value > 0 ? floor(datum.market.hour.polls.value * datum.window_ms / ${HOUR_MS}) : datum.most_samples * max(1, datum.window_ms / max(${HOUR_MS}, datum.market_last_ms - datum.market_first_ms))`,
  ),
];

const spread = script('params.high - params.low', { low: 'change.1', high: 'change.99' });

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
      index: [TICKER_INDICES, CANDLE_INDICES],
      // Only candles say how many polls were due.
      lastDays: { [CANDLE_INDICES]: 2 },
      rows: 'aggregations.exchanges.buckets',
      aggs: {
        exchanges: firstOfEveryMarket({
          time: 'slot',
          only: { exists: { field: 'price_24h_pcnt' } },
          aggs: {
            change: { percentiles: { field: 'price_24h_pcnt', percents: PERCENTS } },
            earliest: { min: { field: 'slot' } },
            covered: isCovered,
            spread,
          },
          by: ['covered', 'spread'],
          ofMarket: {
            hour: { filter: { term: { hours: 1 } }, aggs: { polls: { max: { field: 'polls_due' } } } },
          },
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
      ...everySeries,
      ...PERCENTS.map((percent) => calculate(`p${percent}`, `datum.of.change.values['${percent}.0']`)),
      calculate('samples', 'datum.of.doc_count'),
      ...pollsDue,
      coverage('datum.samples / datum.polls_due'),
      calculate('spread', 'datum.p99 - datum.p1'),
      ...ranked('spread', MOST),
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
  about: `Percentiles (1, 5, 25, 50, 75, 95, 99) of the 24 h change in every poll, for the ${MOST} currencies with the widest spread from the 1st to the 99th. Those that ended are left out, as are those with less than 80 % of the polls, unless none has more.`,
  usualWindow: '7d',
  charts: [bands],
};
