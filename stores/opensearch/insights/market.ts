import type {
  HourOfSeries,
  MarketStore,
  MoveCount,
  Scope,
  SeriesExtent,
  SeriesTotals,
} from '../../../core/insights/ports.ts';
import { NO_RETURNS, type ReturnSums } from '../../../core/insights/returns.ts';
import type { CandleSeries } from '../../../core/market/candle.ts';
import type { MoveDirection } from '../../../core/market/directional-change.ts';
import { CANDLE_INDICES, MOVES_INDEX, TICKER_INDICES } from '../../../core/market/index-names.ts';
import type { CandleHours } from '../../../core/market/price-path.ts';
import { formatSeries, type Series } from '../../../core/market/series.ts';
import { dayOf, HOUR_MS } from '../../../core/market/time.ts';
import type { Trade } from '../../../core/market/turnover.ts';
import type { Window } from '../../../core/market/window.ts';
import { type Columns, seriesOfRow } from '../columns.ts';
import { numberIn } from '../hits.ts';
import {
  allOf,
  type Filter,
  inMarket,
  newestFirst,
  SERIES_FIELDS,
  sourcesOf,
  timeRange,
  values,
} from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';
import {
  type Bucket,
  bySeries,
  type ExtendedStats,
  LOG_RETURNS,
  type Metric,
  max,
  min,
  returnSums,
  sum,
} from './aggregations.ts';
import { columnsByStart } from './candle-columns.ts';
import { ticksAt } from './ticks-at.ts';
import { candleTrades, tickTrades } from './trades.ts';

/** All series together. */
export class OpenSearchMarket implements MarketStore {
  readonly #search: OpenSearchSearch;

  constructor(search: OpenSearchSearch) {
    this.#search = search;
  }

  async totalsBySeries(scope: Scope, window: Window): Promise<SeriesTotals[]> {
    const filters = [inMarket(scope), timeRange('start', window.fromMs, window.toMs)];
    const found = await bySeries<TotalsBucket>(this.#search, CANDLE_INDICES, filters, {
      hours: sum('hours'),
      low: min('low'),
      high: max('high'),
      last: max('start'),
      logReturns: LOG_RETURNS,
    });
    const isMixed = found.some(({ bucket }) => lengthOf(bucket) === undefined);
    // Series with candles of both lengths are rare, and one more level of buckets would take twice the time.
    const hourly = isMixed ? await this.#hourlyReturns(filters) : new Map<string, ReturnSums>();
    return found.map(({ series, bucket }) => {
      const all = returnSums(bucket.logReturns);
      const length = lengthOf(bucket);
      const ofHours = hourly.get(formatSeries(series)) ?? NO_RETURNS[1];
      const ofDays = {
        count: all.count - ofHours.count,
        sum: all.sum - ofHours.sum,
        sumOfSquares: all.sumOfSquares - ofHours.sumOfSquares,
      };
      return {
        series,
        hours: Number(bucket.hours.value),
        low: Number(bucket.low.value),
        high: Number(bucket.high.value),
        lastMs: Number(bucket.last.value),
        returns: length === undefined ? { 1: ofHours, 24: ofDays } : { ...NO_RETURNS, [length]: all },
      };
    });
  }

  async #hourlyReturns(filters: readonly Filter[]): Promise<Map<string, ReturnSums>> {
    const found = await bySeries<{ logReturns: ExtendedStats }>(
      this.#search,
      CANDLE_INDICES,
      [...filters, { term: { hours: 1 } }],
      { logReturns: LOG_RETURNS },
    );
    return new Map(found.map(({ series, bucket }) => [formatSeries(series), returnSums(bucket.logReturns)]));
  }

  async extents(scope: Scope, window?: Window): Promise<SeriesExtent[]> {
    const found = await bySeries<Record<'first' | 'last' | 'hours', Metric>>(
      this.#search,
      CANDLE_INDICES,
      [inMarket(scope), timeRange('start', window?.fromMs, window?.toMs)],
      { first: min('start'), last: max('start'), hours: sum('hours') },
    );
    return found.map(({ series, bucket }) => {
      const lastMs = Number(bucket.last.value);
      return {
        series,
        firstMs: Number(bucket.first.value),
        lastMs,
        // If daily candles are mixed with hourly ones, the hourly ones are newer.
        endMs: lastMs + (lengthOf(bucket) ?? 1) * HOUR_MS,
        hours: Number(bucket.hours.value),
      };
    });
  }

  tickTrades(window: Window): Promise<Trade[]> {
    return tickTrades(this.#search, [inMarket({})], window);
  }

  candleTrades(window: Window): Promise<Trade[][]> {
    return candleTrades(this.#search, [inMarket({})], window);
  }

  async lastSummarisedHour(scope: Scope, { fromMs, toMs }: Window): Promise<number | undefined> {
    const hit = await this.#search.first(CANDLE_INDICES, {
      query: allOf(inMarket(scope), timeRange('start', fromMs, toMs), { range: { samples: { gte: 1 } } }),
      ...newestFirst('start'),
      ...values('start'),
    });
    return hit && numberIn(hit, 'start');
  }

  async hoursFromCandles(scope: Scope, { fromMs, toMs }: Window): Promise<HourOfSeries[]> {
    const startsIn = timeRange('start', fromMs, toMs);
    const reachesIn = allOf({ term: { hours: 24 } }, timeRange('start', dayOf(fromMs), fromMs));
    const filters = [inMarket(scope), { bool: { should: [startsIn, reachesIn] } }];
    const rows = await Array.fromAsync(columnsByStart(this.#search, filters, HOUR_COLUMNS));
    return rows.flat().map(hourFromCandle);
  }

  async hoursFromTicks(scope: Scope, { fromMs, toMs }: Window): Promise<HourOfSeries[]> {
    const query = allOf(inMarket(scope), timeRange('slot', fromMs, toMs));
    const byHour = { hour: { date_histogram: { field: 'slot', fixed_interval: '1h' } } };
    const sources = [...sourcesOf(SERIES_FIELDS), byHour];
    const pages = this.#search.buckets<TickHourBucket>(TICKER_INDICES, query, sources, TICK_HOUR);
    const buckets = (await Array.fromAsync(pages)).flat();
    const wanted = buckets.map(({ key: series, last }) => ({ series, slotMs: Number(last.value) }));
    const ticks = await ticksAt(this.#search, [inMarket(scope)], wanted, ['last_price']);
    return buckets.flatMap((bucket, position) => {
      const tick = ticks[position];
      return tick ? [hourFromTicks(bucket, Number(tick.last_price))] : [];
    });
  }

  async moveCounts(series: readonly CandleSeries[], { fromMs, toMs }: Window): Promise<MoveCount[]> {
    const query = allOf(
      { terms: { symbol: [...new Set(series.map(({ symbol }) => symbol))] } },
      timeRange('confirmed_time', fromMs, toMs),
    );
    const sources = sourcesOf([...SERIES_FIELDS, 'threshold', 'direction']);
    const pages = await Array.fromAsync(this.#search.buckets<MoveBucket>(MOVES_INDEX, query, sources));
    return pages.flat().map(({ key: { threshold, direction, ...name }, doc_count }) => ({
      series: formatSeries(name),
      threshold,
      direction,
      count: doc_count,
    }));
  }
}

interface TotalsBucket {
  hours: Metric;
  low: Metric;
  high: Metric;
  last: Metric;
  logReturns: ExtendedStats;
}

type MoveBucket = Bucket<Series & { threshold: number; direction: MoveDirection }>;

interface TickHourBucket extends Bucket<Series & { hour: number }> {
  low: Metric;
  high: Metric;
  last: Metric;
}

const TICK_HOUR = { low: min('last_price'), high: max('last_price'), last: max('slot') };

function hourFromTicks({ key: { hour, ...series }, low, high }: TickHourBucket, close: number): HourOfSeries {
  return { ...series, startMs: hour, hours: 1, low: Number(low.value), high: Number(high.value), close };
}

const VALUE_COLUMNS = ['start', 'hours', 'low', 'high', 'close', 'log_return'] as const;
const HOUR_COLUMNS = [...SERIES_FIELDS, ...VALUE_COLUMNS] as const;

function hourFromCandle(row: Columns<(typeof HOUR_COLUMNS)[number]>): HourOfSeries {
  const { start, hours, low, high, close, log_return } = row;
  return {
    ...seriesOfRow(row),
    startMs: Number(start),
    hours: hours as CandleHours,
    low: Number(low),
    high: Number(high),
    close: Number(close),
    ...(log_return === null ? {} : { log_return: Number(log_return) }),
  };
}

/** How long a series' candles are; undefined if there are both lengths. */
function lengthOf({ doc_count, hours }: { doc_count: number; hours: Metric }): CandleHours | undefined {
  if (hours.value === doc_count) return 1;
  return hours.value === 24 * doc_count ? 24 : undefined;
}
