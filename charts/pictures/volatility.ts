import { CANDLE_INDICES } from '../../core/market/index-names.ts';
import { colour } from '../palette.ts';
import type { Chart, Json, Picture } from './chart.ts';
import { barHeight, calculate, rankedNames, themedText, tooltip } from './parts.ts';
import {
  coverage,
  everySeries,
  firstOfEveryMarket,
  ranked,
  script,
  WINDOW_HOURS,
  windowParams,
} from './ranked-series.ts';

const MOST = 25;

const returnsOf = (hours: 1 | 24): Json => ({
  filter: { term: { hours } },
  aggs: { returns: { extended_stats: { field: 'log_return' } } },
});

/** What {@link pooledVolatility} needs of the candles in a bucket. */
export const logReturns: Json = { hourly: returnsOf(1), daily: returnsOf(24) };

/** The hourly variance of `volatilityOf` in core/insights, from the sums of hourly and daily returns. */
export const pooledVolatility: Json[] = [
  calculate('hourly', 'datum.hourly.returns'),
  calculate('daily', 'datum.daily.returns'),
  calculate('returns', 'datum.hourly.count + datum.daily.count'),
  calculate('span', 'datum.hourly.count + 24 * datum.daily.count'),
  calculate('drift', '(datum.hourly.sum + datum.daily.sum) / datum.span'),
  calculate(
    'deviations',
    'datum.hourly.sum_of_squares + datum.daily.sum_of_squares - 2 * datum.drift * (datum.hourly.sum + 24 * datum.daily.sum) + pow(datum.drift, 2) * (datum.hourly.count + 576 * datum.daily.count)',
  ),
  calculate(
    'volatility',
    'datum.returns > 1 ? sqrt(max(0, datum.deviations) / (datum.span * (datum.returns - 1) / datum.returns) * 8766) : null',
  ),
];

/** The same in OpenSearch, to sort by. */
const variance = script(
  `double n = params.hours + params.days;
  if (n < 2) return -1;
  double span = params.hours + 24 * params.days;
  double drift = (params.sum1 + params.sum24) / span;
  double deviations = params.squares1 + params.squares24 - 2 * drift * (params.sum1 + 24 * params.sum24)
    + drift * drift * (params.hours + 576 * params.days);
  return deviations / (span * (n - 1) / n);`,
  {
    hours: 'hourly>returns.count',
    days: 'daily>returns.count',
    sum1: 'hourly>returns.sum',
    sum24: 'daily>returns.sum',
    squares1: 'hourly>returns.sum_of_squares',
    squares24: 'daily>returns.sum_of_squares',
  },
);

const isCovered = script(
  'params.hours >= params.least * Math.ceil((params.to - params.from) / 3600000.0) ? 1 : 0',
  { hours: 'hours' },
  windowParams,
);

const ranking: Chart = {
  id: 'volatility',
  title: 'Volatility',
  description: `Realised volatility, in per cent a year, of the ${MOST} most volatile currencies: the standard deviation of the log returns between adjacent candles, hourly and daily ones pooled, × √8766.`,
  ofOneCurrency: false,
  pickedFrom: 'ranking',
  queries: {
    series: {
      index: CANDLE_INDICES,
      rows: 'aggregations.exchanges.buckets',
      aggs: {
        exchanges: firstOfEveryMarket({
          time: 'start',
          aggs: {
            ...logReturns,
            low: { min: { field: 'low' } },
            high: { max: { field: 'high' } },
            hours: { sum: { field: 'hours' } },
            covered: isCovered,
            variance,
          },
          by: ['covered', 'variance'],
        }),
      },
    },
  },
  height: 320,
  overTime: false,
  whenEmpty:
    'Volatility needs candles of three consecutive hours in the window. Pick a longer window, or wait for more hours to close.',
  table: {
    layers: ['ranking'],
    columns: [
      { field: 'rank', title: 'Rank', format: 'count' },
      { field: 'label', title: 'Series', format: 'text' },
      { field: 'volatility', title: 'Volatility a year', format: 'share' },
      { field: 'returns', title: 'Returns', format: 'count' },
      { field: 'range', title: 'High–low range', format: 'share' },
      { field: 'hours', title: 'Hours with data', format: 'count' },
      { field: 'coverage', title: 'Coverage', format: 'share' },
    ],
  },
  spec: {
    data: { name: 'series' },
    transform: [
      ...everySeries,
      calculate('hourly', 'datum.of.hourly'),
      calculate('daily', 'datum.of.daily'),
      ...pooledVolatility,
      { filter: 'isValid(datum.volatility)' },
      calculate('range', '(datum.of.high.value - datum.of.low.value) / datum.of.low.value'),
      calculate('hours', 'datum.of.hours.value'),
      coverage(`datum.hours / ${WINDOW_HOURS}`),
      ...ranked('volatility', MOST),
      calculate('volatility_text', "format(datum.volatility, ',.1%')"),
      calculate('range_text', "format(datum.range, ',.1%')"),
    ],
    layer: [
      {
        name: 'ranking',
        mark: { type: 'bar', height: barHeight(0.7), cornerRadius: 1 },
        encoding: {
          y: rankedNames,
          x: {
            field: 'volatility',
            type: 'quantitative',
            axis: { title: null, format: ',.0%', tickCount: 5 },
          },
          color: { value: colour('main') },
          tooltip: tooltip(
            ['label', 'Series'],
            ['rank', 'Rank'],
            ['volatility_text', 'Volatility a year'],
            ['range_text', 'High–low range'],
          ),
        },
      },
      {
        name: 'figures',
        mark: { ...themedText, align: 'left', dx: 5 },
        encoding: {
          y: rankedNames,
          x: { field: 'volatility', type: 'quantitative' },
          text: { field: 'volatility_text' },
        },
      },
    ],
  },
};

export const volatilityRanking: Picture = {
  id: 'volatility-ranking',
  title: 'Volatility ranking',
  about:
    'Standard deviation of the log returns between the closes of adjacent hours (days, if the history is daily), pooled and annualised (× √8766), of closed hours. All currencies are ranked, whichever is picked, except those that ended, and those with data for less than 80 % of the window unless none has more.',
  usualWindow: '7d',
  charts: [ranking],
};
