import { ARCHIVE } from '../../core/insights/resolve.ts';
import { CANDLE_INDICES, TICKER_INDICES } from '../../core/market/index-names.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import { DOLLARS } from '../../core/market/turnover.ts';
import type { ChartQuery, Json } from './chart.ts';
import { bySeries, calculate, elementOf, intervalHours, seriesNames, withoutArchive } from './parts.ts';

/** Currencies drawn in one chart; each has a colour. */
const MOST_CURRENCIES = 6;
/** Markets that are read to find the main one of each currency. */
const MOST_MARKETS = 12;
/**
 * Compared as long as nothing is picked, if they exist. Turnovers are only in the tickers, so no shard of
 * candles knows which markets are large, and there may be more markets than it can return.
 */
const USUAL_CURRENCIES = ['BTC', 'ETH', 'XRP', 'SOL', 'ADA', 'DOGE'];
/** Markets that each shard returns. All of the usual currencies' fit, and any that a picked currency has. */
const MARKETS_PER_SHARD = 100;
/** Hours without a candle and turnovers come from the ticks of this many days up to the window's end. */
const TICK_DAYS = 3;

const notInverse = { bool: { must_not: [{ term: { category: 'inverse' } }] } };

/** Where the default is not what a chart needs. */
interface Selection {
  /** @default USUAL_CURRENCIES */
  usual?: string[];
  /** @default 100 */
  perShard?: number;
}

/**
 * Candles of the usual currencies' markets and of those with the highest turnover, and the ticks of hours that may not have
 * a candle yet. One search asks both indices, so that both are of the same markets. Turnovers in dollars come first, then
 * those in other currencies, which an aggregation cannot convert; inverse contracts, which count coins, are last.
 * @param candles a histogram of a market's candles, and what it computes for each bucket
 */
export function marketsOverTime(
  candles: Json,
  { usual = USUAL_CURRENCIES, perShard = MARKETS_PER_SHARD }: Selection = {},
): ChartQuery {
  const turnover = { max: { field: 'turnover_24h' } };
  return {
    index: [CANDLE_INDICES, TICKER_INDICES],
    lastDays: { [TICKER_INDICES]: TICK_DAYS },
    rows: 'aggregations.series.buckets',
    aggs: {
      series: bySeries(
        MOST_MARKETS,
        {
          usual: {
            filter: { bool: { filter: [{ terms: { base: usual } }], must_not: [OPTION] } },
            // 1 if there is any.
            aggs: { is: { cardinality: { field: 'base', precision_threshold: 1 } } },
          },
          dollars: {
            filter: { bool: { filter: [{ terms: { quote: DOLLARS } }, notInverse] } },
            aggs: { turnover },
          },
          others: { filter: notInverse, aggs: { turnover } },
          newest: {
            top_hits: {
              size: 1,
              _source: false,
              sort: [{ slot: { order: 'desc', unmapped_type: 'date' } }],
              docvalue_fields: ['base', 'last_price', 'price_24h_pcnt', 'turnover_24h', 'volume_24h'],
            },
          },
          lengths: { terms: { field: 'hours', size: 2 }, aggs: { last: { max: { field: 'start' } } } },
          last_day: {
            filter: { range: { start: { gte: dayBeforeEnd, format: 'epoch_millis' } } },
            aggs: {
              close: { avg: { field: 'close' } },
              volume: { sum: { field: 'volume' } },
              turnover: { sum: { field: 'turnover' } },
              returns,
            },
          },
          candles,
          ticks: {
            date_histogram: { field: 'slot', fixed_interval: '1h', min_doc_count: 1 },
            aggs: {
              mean: { avg: { field: 'last_price' } },
              low: { min: { field: 'last_price' } },
              high: { max: { field: 'last_price' } },
              change: { avg: { field: 'price_24h_pcnt' } },
            },
          },
        },
        {
          shard_size: perShard,
          // Only the markets that are returned are aggregated further.
          collect_mode: 'breadth_first',
          order: [
            { 'usual>is': 'desc' },
            { 'dollars>turnover': 'desc' },
            { 'others>turnover': 'desc' },
            // Shards of candles know no turnover: the longest history first.
            { _count: 'desc' },
          ],
        },
      ),
      live: { filter: { bool: { must_not: [inArchive] } }, aggs: currencies },
      archived: { filter: inArchive, aggs: currencies },
      live_candles: { filter: { bool: { filter: [{ exists: { field: 'start' } }], must_not: [inArchive] } } },
    },
  };
}

/** The log returns of candles that have one, and the hours that they span. */
export const returns: Json = {
  filter: { exists: { field: 'log_return' } },
  aggs: { sum: { sum: { field: 'log_return' } }, hours: { sum: { field: 'hours' } } },
};

const OPTION = { term: { category: 'option' } };
const inArchive = { term: { exchange: ARCHIVE } };

/** How many there are; some exchanges do not name a market's currency. */
const currencies: Json = {
  named: { cardinality: { field: 'base' } },
  unnamed: {
    filter: { bool: { must_not: [{ exists: { field: 'base' } }] } },
    aggs: { symbols: { cardinality: { field: 'symbol' } } },
  },
};

const dayBeforeEnd = { '%timefilter%': 'max', shift: -1, unit: 'd' };

/** Whether the aggregations of {@link marketsOverTime} are of several currencies, as an expression. */
export function severalCurrencies(aggregations: string): string {
  const several = (of: string) =>
    `${aggregations}.${of}.named.value + ${aggregations}.${of}.unnamed.symbols.value > 1`;
  return `${aggregations}.live.doc_count > 0 ? ${several('live')} : ${several('archived')}`;
}

/** Whether there are candles, as an expression of the same. */
export const hasCandles = (aggregations: string): string => `${aggregations}.live_candles.doc_count > 0`;

/**
 * For each currency, the market that trades most units of it, which is also how a question about a currency
 * (`BTC`) resolves: units compare whatever the quote currency is. Markets without ticks rank by what their
 * candles say, after the others. Currencies keep the order of the answer. A market whose candles no shard
 * returned is left out (`recorded` says whether there are any): its ticks alone would look like missing data.
 * If that was the main one, the name of the next says so.
 */
export const mainMarkets: Json[] = [
  ...withoutArchive('datum.key[0]'),
  ...seriesNames,
  calculate('tick', 'datum.newest.hits.hits[0].fields'),
  calculate(
    'currency',
    'isValid(datum.tick) && isValid(datum.tick.base) ? datum.tick.base[0] : datum.key[2]',
  ),
  calculate(
    'price',
    'isValid(datum.tick) && isValid(datum.tick.last_price) ? datum.tick.last_price[0] : null',
  ),
  calculate(
    'turnover',
    'isValid(datum.price) && isValid(datum.tick.turnover_24h) ? datum.tick.turnover_24h[0] : null',
  ),
  calculate(
    'volume',
    'isValid(datum.price) && isValid(datum.tick.volume_24h) ? datum.tick.volume_24h[0] : null',
  ),
  calculate(
    'units',
    "datum.key[1] === 'inverse' ? datum.turnover : isValid(datum.turnover) ? datum.turnover / datum.price : datum.volume",
  ),
  { joinaggregate: [{ op: 'max', field: 'units', as: 'most_units' }], groupby: ['currency'] },
  { filter: '!recorded || length(datum.lengths.buckets) > 0' },
  calculate(
    'recorded_units',
    'max(datum.last_day.volume.value, datum.last_day.doc_count > 0 ? datum.last_day.turnover.value / datum.last_day.close.value : 0)',
  ),
  { window: [{ op: 'row_number', as: 'place' }] },
  {
    joinaggregate: [
      { op: 'min', field: 'place', as: 'currency_place' },
      { op: 'count', as: 'markets' },
    ],
    groupby: ['currency'],
  },
  calculate('units_or_less', 'isValid(datum.units) ? datum.units : -1'),
  {
    window: [{ op: 'row_number', as: 'place_in_currency' }],
    groupby: ['currency'],
    sort: [
      { field: 'units_or_less', order: 'descending' },
      { field: 'recorded_units', order: 'descending' },
      { field: 'place' },
    ],
  },
  { filter: 'datum.place_in_currency === 1' },
  { window: [{ op: 'row_number', as: 'rank' }], sort: [{ field: 'currency_place' }] },
  { filter: `datum.rank <= ${MOST_CURRENCIES}` },
  calculate(
    'named',
    "datum.label + (isValid(datum.most_units) && datum.units_or_less < datum.most_units ? ', not the main market' : datum.markets > 1 ? ', main of ' + datum.markets + ' markets' : '')",
  ),
];

/**
 * From a row for each market to one for each bucket of candles and, after the last candle, each hour of ticks. `bucket`
 * has the bucket, `start_ms` its start, `is_candle` says which of the two it is.
 */
export const candlesThenTicks: Json[] = [
  calculate(
    'candles_end_ms',
    `max(0, length(datum.lengths.buckets) > 0 ? datum.lengths.buckets[0].last.value + datum.lengths.buckets[0].key * ${HOUR_MS} : 0, length(datum.lengths.buckets) > 1 ? datum.lengths.buckets[1].last.value + datum.lengths.buckets[1].key * ${HOUR_MS} : 0)`,
  ),
  calculate('candle_count', 'length(datum.candles.buckets)'),
  calculate('position', 'sequence(datum.candle_count + length(datum.ticks.buckets))'),
  { flatten: ['position'] },
  calculate('is_candle', 'datum.position < datum.candle_count'),
  calculate(
    'bucket',
    `datum.is_candle ? ${elementOf('datum.candles.buckets', 'datum.position')} : ${elementOf('datum.ticks.buckets', 'datum.position - datum.candle_count')}`,
  ),
  calculate('start_ms', 'datum.bucket.key'),
];

/**
 * `segment`: the same for rows without a gap between them, so that a line breaks only at a gap. `reach_ms` says how long
 * the data behind a row is.
 */
export const withoutGaps: Json[] = [
  {
    window: [
      { op: 'lag', field: 'start_ms', as: 'start_before_ms' },
      { op: 'lag', field: 'reach_ms', as: 'reach_before_ms' },
    ],
    groupby: ['series'],
    sort: [{ field: 'start_ms' }],
  },
  calculate(
    'after_gap',
    'isValid(datum.start_before_ms) && datum.start_ms - datum.start_before_ms > 1.5 * datum.reach_before_ms ? 1 : 0',
  ),
  {
    window: [{ op: 'sum', field: 'after_gap', as: 'segment' }],
    groupby: ['series'],
    sort: [{ field: 'start_ms' }],
  },
  { joinaggregate: [{ op: 'count', as: 'segment_length' }], groupby: ['series', 'segment'] },
];

/** How long the data behind a row of {@link candlesThenTicks} is; a daily candle may be alone in a bucket of an hour. */
export const reach = calculate(
  'reach_ms',
  `${HOUR_MS} * (datum.is_candle ? max(${intervalHours('datum.candles.interval')}, datum.bucket.hours.value / datum.bucket.doc_count) : 1)`,
);
