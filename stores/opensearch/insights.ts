import type {
  ChangePercentiles,
  CurrencySeries,
  HourOfSeries,
  InsightStore,
  MoveCount,
  Scope,
  SeriesExtent,
  SeriesTotals,
} from '../../core/insights/ports.ts';
import { type CandleTotals, NO_RETURNS, type ReturnSums } from '../../core/insights/totals.ts';
import {
  type Candle,
  type CandleHours,
  type CandleSeries,
  candleFromHistory,
  type PriceTick,
} from '../../core/market/candle.ts';
import type { MoveDirection } from '../../core/market/directional-change.ts';
import { CANDLE_INDICES, MOVES_INDEX, TICKER_INDICES } from '../../core/market/index-names.ts';
import { type Category, formatSeries } from '../../core/market/series.ts';
import { DAY_MS, dayOf, HOUR_MS } from '../../core/market/time.ts';
import type { Window } from '../../core/market/window.ts';
import { allOf, anyCase, type Filter, inMarket, inScope, ofSeries, ticksIn } from './insight-queries.ts';
import type { OpenSearchSearch, SearchHit } from './search.ts';
import { timeRange } from './ticks.ts';

/** Series that have no candle yet, or trade now, have ticks in the last while; older ones are known by their candles. */
const RECENT_MS = 2 * DAY_MS;
const MAX_EXCHANGES = 1_000;
const MAX_SYMBOLS = 50_000;

/** More series than one answer can tell of. */
export class TooManySeriesError extends Error {
  override readonly name = 'TooManySeriesError';
}

/** A metric of one number; null where there is no document. */
interface Metric {
  value: number | null;
}

interface ExtendedStats {
  count: number;
  sum: number | null;
  sum_of_squares: number | null;
}

interface Bucket {
  key: string;
  doc_count: number;
}

interface Buckets<B> {
  buckets: B[];
  sum_other_doc_count?: number;
}

const at = (field: string) => ({ field, format: 'epoch_millis' });
const asc = (field: string) => [{ [field]: 'asc' }];
const desc = (field: string) => [{ [field]: 'desc' }];
/** The order that the indices are kept in. */
const SERIES_ORDER = ['exchange', 'category', 'symbol'];

const LOG_RETURNS = { extended_stats: { field: 'log_return' } };

/** What the questions read, from the candle, ticker and move indices. Nothing is found where an index is not there. */
export class OpenSearchInsights implements InsightStore {
  readonly #search: OpenSearchSearch;
  #recent: Promise<Filter> | undefined;

  /** @param search for one invocation: it has that one's deadline */
  constructor(search: OpenSearchSearch) {
    this.#search = search;
  }

  async candles(series: CandleSeries, window: Window): Promise<Candle[]> {
    const inWindow = [ofSeries(series), timeRange('start', window.fromMs, window.toMs)];
    const isBackfill = { term: { source: 'backfill' } };
    const [recorded, ticked] = await Promise.all([
      // Their paths follow from their prices: reading those from doc values is ten times as fast as the documents.
      this.#search.all(CANDLE_INDICES, {
        query: allOf(...inWindow, isBackfill),
        sort: asc('start'),
        _source: false,
        docvalue_fields: ['hours', 'open', 'high', 'low', 'close', 'samples', at('start')],
      }),
      this.#search.all<Candle>(CANDLE_INDICES, {
        query: { bool: { filter: inWindow, must_not: [isBackfill] } },
        sort: asc('start'),
      }),
    ]);
    const candles = [
      ...recorded.map((hit) => recordedCandle(series, hit)),
      ...ticked.map(({ _source }) => _source),
    ];
    return candles.sort((a, b) => (a.start < b.start ? -1 : 1));
  }

  async totals(series: CandleSeries, window: Window): Promise<CandleTotals | undefined> {
    const query = allOf(ofSeries(series), timeRange('start', window.fromMs, window.toMs));
    const edge = { size: 1, query, _source: false, docvalue_fields: ['hours', 'open', 'close', at('start')] };
    const [{ hits: firsts, aggregations }, { hits: lasts }] = await Promise.all([
      this.#search.search(CANDLE_INDICES, {
        ...edge,
        sort: asc('start'),
        aggs: {
          byLength: {
            terms: { field: 'hours' },
            aggs: {
              means: { sum: { field: 'mean' } },
              low: { min: { field: 'low' } },
              high: { max: { field: 'high' } },
              logReturns: LOG_RETURNS,
            },
          },
        },
      }),
      this.#search.search(CANDLE_INDICES, { ...edge, sort: desc('start') }),
    ]);
    const [first, last] = [firsts.hits[0], lasts.hits[0]];
    if (!first || !last) return undefined;
    const { buckets } = (aggregations?.byLength ?? { buckets: [] }) as Buckets<LengthBucket>;
    return {
      hours: sumOf(buckets, ({ key, doc_count }) => key * doc_count),
      meanHours: sumOf(buckets, ({ key, means }) => key * Number(means.value)),
      low: Math.min(...buckets.map(({ low }) => Number(low.value))),
      high: Math.max(...buckets.map(({ high }) => Number(high.value))),
      first: { startMs: numberOf(first, 'start'), open: numberOf(first, 'open') },
      last: {
        endMs: numberOf(last, 'start') + numberOf(last, 'hours') * HOUR_MS,
        close: numberOf(last, 'close'),
      },
      returns: {
        ...NO_RETURNS,
        ...Object.fromEntries(buckets.map(({ key, logReturns }) => [key, sumsOf(logReturns)])),
      },
    };
  }

  async hoursByDay(series: CandleSeries, window: Window): Promise<Map<number, number>> {
    const { aggregations } = await this.#search.search(CANDLE_INDICES, {
      size: 0,
      query: allOf(ofSeries(series), timeRange('start', window.fromMs, window.toMs)),
      aggs: {
        days: {
          date_histogram: { field: 'start', fixed_interval: '1d', min_doc_count: 1 },
          aggs: { hours: { sum: { field: 'hours' } } },
        },
      },
    });
    const days = (aggregations?.days ?? { buckets: [] }) as Buckets<{ key: number; hours: Metric }>;
    return new Map(days.buckets.map(({ key, hours }) => [key, Number(hours.value)]));
  }

  async covered(series: CandleSeries, window: Window): Promise<Window[]> {
    const hits = await this.#search.all(CANDLE_INDICES, {
      query: allOf(ofSeries(series), timeRange('start', window.fromMs, window.toMs)),
      sort: asc('start'),
      _source: false,
      docvalue_fields: ['hours', at('start')],
    });
    return hits.map((hit) => ({
      fromMs: numberOf(hit, 'start'),
      toMs: numberOf(hit, 'start') + numberOf(hit, 'hours') * HOUR_MS,
    }));
  }

  async tickHours(series: CandleSeries, windows: readonly Window[]): Promise<number[]> {
    const hours: number[] = [];
    for (const query of ticksIn(series, windows)) {
      const { aggregations } = await this.#search.search(TICKER_INDICES, {
        size: 0,
        query,
        aggs: { hours: { date_histogram: { field: 'slot', fixed_interval: '1h', min_doc_count: 1 } } },
      });
      const { buckets } = (aggregations?.hours ?? { buckets: [] }) as Buckets<{ key: number }>;
      hours.push(...buckets.map(({ key }) => key));
    }
    return hours;
  }

  async ticks(series: CandleSeries, windows: readonly Window[]): Promise<PriceTick[]> {
    const ticks: PriceTick[] = [];
    for (const query of ticksIn(series, windows)) {
      const hits = await this.#search.all(TICKER_INDICES, {
        query,
        sort: asc('slot'),
        _source: false,
        docvalue_fields: ['last_price', at('slot')],
      });
      for (const hit of hits) {
        ticks.push({ slotMs: numberOf(hit, 'slot'), price: numberOf(hit, 'last_price') });
      }
    }
    return ticks;
  }

  async span(series: CandleSeries): Promise<Window | undefined> {
    const edge = async (index: string, time: string, sort: object) => {
      const { hits } = await this.#search.search(index, {
        size: 1,
        query: allOf(ofSeries(series)),
        sort,
        _source: false,
        docvalue_fields: [at(time), ...(index === CANDLE_INDICES ? ['hours'] : [])],
      });
      return hits.hits[0];
    };
    const [firstCandle, lastCandle, firstTick, lastTick] = await Promise.all([
      edge(CANDLE_INDICES, 'start', asc('start')),
      edge(CANDLE_INDICES, 'start', desc('start')),
      edge(TICKER_INDICES, 'slot', asc('slot')),
      edge(TICKER_INDICES, 'slot', desc('slot')),
    ]);
    const spans = [
      ...(firstCandle && lastCandle
        ? [
            {
              fromMs: numberOf(firstCandle, 'start'),
              toMs: numberOf(lastCandle, 'start') + numberOf(lastCandle, 'hours') * HOUR_MS,
            },
          ]
        : []),
      ...(firstTick && lastTick
        ? [{ fromMs: numberOf(firstTick, 'slot'), toMs: numberOf(lastTick, 'slot') + 1 }]
        : []),
    ];
    if (spans.length === 0) return undefined;
    return {
      fromMs: Math.min(...spans.map(({ fromMs }) => fromMs)),
      toMs: Math.max(...spans.map(({ toMs }) => toMs)),
    };
  }

  async withSymbol(symbol: string, scope: Scope): Promise<CandleSeries[]> {
    const filters = [inScope(scope), anyCase('symbol', symbol)];
    return this.#seriesThat(filters);
  }

  async ofCurrency(currency: string, scope: Scope): Promise<CurrencySeries[]> {
    const filters = [inMarket(scope), anyCase('base', currency)];
    const traded = await this.#turnovers(filters);
    return traded.some(({ turnover }) => turnover !== undefined) ? traded : this.#seriesThat(filters);
  }

  /** The series with ticks in the hour up to the filters' last tick. */
  async #turnovers(filters: readonly Filter[]): Promise<CurrencySeries[]> {
    const last = await this.#search.search(TICKER_INDICES, {
      size: 1,
      query: allOf(...filters),
      sort: desc('slot'),
      _source: false,
      docvalue_fields: [at('slot')],
    });
    if (!last.hits.hits[0]) return [];
    const slotMs = numberOf(last.hits.hits[0], 'slot');
    const hits = await this.#search.all(TICKER_INDICES, {
      query: allOf(...filters, timeRange('slot', slotMs - HOUR_MS, slotMs + 1)),
      sort: ['slot', ...SERIES_ORDER].map((field) => ({ [field]: 'asc' })),
      _source: false,
      docvalue_fields: [...SERIES_ORDER, 'last_price', 'turnover_24h'],
    });
    const lastOfEach = new Map(hits.map((hit) => [formatSeries(seriesIn(hit)), hit]));
    return [...lastOfEach.values()].map((hit) => {
      const series = seriesIn(hit);
      const turnover = hit.fields.turnover_24h?.[0];
      if (turnover === undefined) return series;
      // An inverse contract is settled in the currency itself, so its turnover is counted in it already.
      const inCurrency = series.category === 'inverse' ? 1 : numberOf(hit, 'last_price');
      return { ...series, turnover: Number(turnover) / inCurrency };
    });
  }

  async names(scope: Scope): Promise<string[]> {
    const aggs = {
      symbols: { terms: { field: 'symbol', size: MAX_SYMBOLS } },
      currencies: { terms: { field: 'base', size: MAX_SYMBOLS } },
    };
    const found = await Promise.all([
      this.#search.search(CANDLE_INDICES, { size: 0, query: allOf(inMarket(scope)), aggs }),
      this.#search.search(TICKER_INDICES, {
        size: 0,
        query: allOf(inMarket(scope), await this.#recently()),
        aggs,
      }),
    ]);
    const names = found.flatMap(({ aggregations = {} }) =>
      Object.values(aggregations).flatMap((agg) => (agg as Buckets<Bucket>).buckets.map(({ key }) => key)),
    );
    return [...new Set(names)];
  }

  async #seriesThat(filters: readonly Filter[]): Promise<CandleSeries[]> {
    const [candles, ticks] = await Promise.all([
      this.#bySeries(CANDLE_INDICES, filters, {}),
      this.#bySeries(TICKER_INDICES, [...filters, await this.#recently()], {}),
    ]);
    const byName = new Map([...candles, ...ticks].map(({ series }) => [formatSeries(series), series]));
    return [...byName.values()];
  }

  /** The ticks of the last while. */
  #recently(): Promise<Filter> {
    const ask = async (): Promise<Filter> => {
      const { aggregations } = await this.#search.search(TICKER_INDICES, {
        size: 0,
        aggs: { last: { max: { field: 'slot' } } },
      });
      const lastMs = (aggregations?.last as Metric | undefined)?.value ?? 0;
      return timeRange('slot', lastMs - RECENT_MS);
    };
    this.#recent ??= ask();
    return this.#recent;
  }

  async totalsBySeries(scope: Scope, window: Window): Promise<SeriesTotals[]> {
    const filters = [inMarket(scope), timeRange('start', window.fromMs, window.toMs)];
    const found = await this.#bySeries<TotalsBucket>(CANDLE_INDICES, filters, {
      hours: { sum: { field: 'hours' } },
      low: { min: { field: 'low' } },
      high: { max: { field: 'high' } },
      logReturns: LOG_RETURNS,
    });
    const isMixed = found.some(({ bucket }) => lengthOf(bucket) === undefined);
    // One more level of buckets would double the time of the usual case, where a series has candles of one length.
    const hourly = isMixed ? await this.#hourlyReturns(filters) : new Map<string, ReturnSums>();
    return found.map(({ series, bucket }) => {
      const all = sumsOf(bucket.logReturns);
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
        returns: length === undefined ? { 1: ofHours, 24: ofDays } : { ...NO_RETURNS, [length]: all },
      };
    });
  }

  async #hourlyReturns(filters: readonly Filter[]): Promise<Map<string, ReturnSums>> {
    const found = await this.#bySeries<{ logReturns: ExtendedStats }>(
      CANDLE_INDICES,
      [...filters, { term: { hours: 1 } }],
      { logReturns: LOG_RETURNS },
    );
    return new Map(found.map(({ series, bucket }) => [formatSeries(series), sumsOf(bucket.logReturns)]));
  }

  async extents(scope: Scope): Promise<SeriesExtent[]> {
    const found = await this.#bySeries<
      Record<'first' | 'last' | 'hours', Metric> & Pick<Bucket, 'doc_count'>
    >(CANDLE_INDICES, [inMarket(scope)], {
      first: { min: { field: 'start' } },
      last: { max: { field: 'start' } },
      hours: { sum: { field: 'hours' } },
    });
    return found.map(({ series, bucket }) => {
      const lastMs = Number(bucket.last.value);
      return {
        series,
        firstMs: Number(bucket.first.value),
        lastMs,
        // Where daily candles are mixed with hourly ones, the hourly ones are the later.
        endMs: lastMs + (lengthOf(bucket) ?? 1) * HOUR_MS,
        hours: Number(bucket.hours.value),
      };
    });
  }

  async lastSummarisedHour(scope: Scope, { fromMs, toMs }: Window): Promise<number | undefined> {
    const { hits } = await this.#search.search(CANDLE_INDICES, {
      size: 1,
      query: allOf(inMarket(scope), timeRange('start', fromMs, toMs), { range: { samples: { gte: 1 } } }),
      sort: desc('start'),
      _source: false,
      docvalue_fields: [at('start')],
    });
    return hits.hits[0] && numberOf(hits.hits[0], 'start');
  }

  async hoursFromCandles(scope: Scope, { fromMs, toMs }: Window): Promise<HourOfSeries[]> {
    const hits = await this.#search.all(CANDLE_INDICES, {
      query: allOf(inMarket(scope), {
        bool: {
          should: [
            timeRange('start', fromMs, toMs),
            allOf({ term: { hours: 24 } }, timeRange('start', dayOf(fromMs), fromMs)),
          ],
        },
      }),
      sort: [...SERIES_ORDER, 'start'],
      _source: false,
      docvalue_fields: [...SERIES_ORDER, 'hours', 'low', 'high', 'close', 'log_return', at('start')],
    });
    return hits.map((hit) => ({
      ...seriesIn(hit),
      start: new Date(numberOf(hit, 'start')).toISOString(),
      hours: numberOf(hit, 'hours') as CandleHours,
      low: numberOf(hit, 'low'),
      high: numberOf(hit, 'high'),
      close: numberOf(hit, 'close'),
      ...(hit.fields.log_return ? { log_return: numberOf(hit, 'log_return') } : {}),
    }));
  }

  async hoursFromTicks(scope: Scope, window: Window): Promise<HourOfSeries[]> {
    const ticks = await this.#tickRange(scope, window);
    const hours: HourOfSeries[] = [];
    if (!ticks) return hours;
    // Day by day: OpenSearch bounds the buckets of one answer.
    for (let dayMs = dayOf(ticks.fromMs); dayMs < ticks.toMs; dayMs += DAY_MS) {
      const from = Math.max(dayMs, window.fromMs);
      const to = Math.min(dayMs + DAY_MS, window.toMs);
      const found = await this.#bySeries<{ hours: Buckets<TickHourBucket> }>(
        TICKER_INDICES,
        [inMarket(scope), timeRange('slot', from, to)],
        { hours: TICK_HOURS },
      );
      for (const { series, bucket } of found) {
        hours.push(...bucket.hours.buckets.map((hour) => hourFromTicks(series, hour)));
      }
    }
    return hours;
  }

  async #tickRange(scope: Scope, { fromMs, toMs }: Window): Promise<Window | undefined> {
    const { aggregations } = await this.#search.search(TICKER_INDICES, {
      size: 0,
      query: allOf(inMarket(scope), timeRange('slot', fromMs, toMs)),
      aggs: { first: { min: { field: 'slot' } }, last: { max: { field: 'slot' } } },
    });
    const first = (aggregations?.first as Metric | undefined)?.value;
    const last = (aggregations?.last as Metric | undefined)?.value;
    return typeof first === 'number' && typeof last === 'number'
      ? { fromMs: first, toMs: last + 1 }
      : undefined;
  }

  async moveCounts(series: readonly CandleSeries[], { fromMs, toMs }: Window): Promise<MoveCount[]> {
    const query = allOf(
      { terms: { symbol: [...new Set(series.map(({ symbol }) => symbol))] } },
      timeRange('confirmed_time', fromMs, toMs),
    );
    const sources = [...SERIES_ORDER, 'threshold', 'direction'].map((field) => ({
      [field]: { terms: { field } },
    }));
    const counts: MoveCount[] = [];
    for await (const page of this.#search.buckets<MoveBucket>(MOVES_INDEX, query, { sources })) {
      for (const { key, doc_count } of page) {
        const { threshold, direction, ...name } = key;
        counts.push({ series: formatSeries(name), threshold, direction, count: doc_count });
      }
    }
    return counts;
  }

  async changePercentiles(
    { symbol, ...scope }: Scope & { symbol?: string },
    { fromMs, toMs }: Window,
    percents: readonly number[],
  ): Promise<ChangePercentiles[]> {
    const field = 'price_24h_pcnt';
    const filters = [
      symbol === undefined ? inMarket(scope) : inScope(scope),
      ...(symbol === undefined ? [] : [{ term: { symbol } }]),
      timeRange('slot', fromMs, toMs),
      { exists: { field } },
    ];
    const found = await this.#bySeries<ChangeBucket>(TICKER_INDICES, filters, {
      change: { percentiles: { field, percents, keyed: false } },
    });
    return found.map(({ series, bucket }) => {
      const byPercent = new Map(bucket.change.values.map(({ key, value }) => [key, value]));
      return {
        series: formatSeries(series),
        samples: bucket.doc_count,
        values: percents.map((percent) => byPercent.get(percent) ?? Number.NaN),
      };
    });
  }

  /** An aggregation for each series: three levels of terms are twice as fast as one composite aggregation. */
  async #bySeries<B>(
    index: string,
    filters: readonly Filter[],
    aggs: object,
  ): Promise<{ series: CandleSeries; bucket: B & Bucket }[]> {
    const symbols = { terms: { field: 'symbol', size: MAX_SYMBOLS }, aggs };
    const categories = { terms: { field: 'category', size: 10 }, aggs: { symbols } };
    const { aggregations } = await this.#search.search(index, {
      size: 0,
      query: allOf(...filters),
      aggs: { exchanges: { terms: { field: 'exchange', size: MAX_EXCHANGES }, aggs: { categories } } },
    });
    const exchanges = (aggregations?.exchanges ?? { buckets: [] }) as Buckets<ExchangeBucket<B>>;
    return exchanges.buckets.flatMap(({ key: exchange, categories }) =>
      categories.buckets.flatMap(({ key, symbols }) => {
        const category = key as Category;
        if (symbols.sum_other_doc_count) {
          throw new TooManySeriesError(
            `${exchange}:${category} has more than ${MAX_SYMBOLS} symbols in ${index}.`,
          );
        }
        return symbols.buckets.map((bucket) => ({
          series: { exchange, category, symbol: bucket.key },
          bucket,
        }));
      }),
    );
  }
}

interface ExchangeBucket<B> extends Bucket {
  categories: Buckets<Bucket & { symbols: Buckets<B & Bucket> }>;
}

interface LengthBucket {
  key: CandleHours;
  doc_count: number;
  means: Metric;
  low: Metric;
  high: Metric;
  logReturns: ExtendedStats;
}

interface TotalsBucket {
  hours: Metric;
  low: Metric;
  high: Metric;
  logReturns: ExtendedStats;
}

interface TickHourBucket {
  key: number;
  low: Metric;
  high: Metric;
  last: { hits: { hits: SearchHit[] } };
}

interface MoveBucket {
  key: { exchange: string; category: Category; symbol: string; threshold: number; direction: MoveDirection };
  doc_count: number;
}

interface ChangeBucket {
  change: { values: { key: number; value: number }[] };
}

const TICK_HOURS = {
  date_histogram: { field: 'slot', fixed_interval: '1h', min_doc_count: 1 },
  aggs: {
    low: { min: { field: 'last_price' } },
    high: { max: { field: 'last_price' } },
    last: { top_hits: { size: 1, sort: desc('slot'), _source: false, docvalue_fields: ['last_price'] } },
  },
};

function hourFromTicks(series: CandleSeries, { key, low, high, last }: TickHourBucket): HourOfSeries {
  return {
    ...series,
    start: new Date(key).toISOString(),
    hours: 1,
    low: Number(low.value),
    high: Number(high.value),
    close: numberOf(last.hits.hits[0] as SearchHit, 'last_price'),
  };
}

function recordedCandle(series: CandleSeries, hit: SearchHit): Candle {
  const prices = {
    startMs: numberOf(hit, 'start'),
    open: numberOf(hit, 'open'),
    high: numberOf(hit, 'high'),
    low: numberOf(hit, 'low'),
    close: numberOf(hit, 'close'),
  };
  const candle = candleFromHistory(series, prices, numberOf(hit, 'hours') as CandleHours);
  return { ...candle, samples: numberOf(hit, 'samples') };
}

/** The one length of a series' candles; undefined where there are both. */
function lengthOf({ doc_count, hours }: { doc_count: number; hours: Metric }): CandleHours | undefined {
  if (hours.value === doc_count) return 1;
  return hours.value === 24 * doc_count ? 24 : undefined;
}

function sumsOf({ count, sum, sum_of_squares }: ExtendedStats): ReturnSums {
  return { count, sum: sum ?? 0, sumOfSquares: sum_of_squares ?? 0 };
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

function numberOf(hit: Pick<SearchHit, 'fields'>, field: string): number {
  return Number(hit.fields[field]?.[0]);
}

function seriesIn({ fields }: Pick<SearchHit, 'fields'>): CandleSeries {
  return {
    exchange: fields.exchange?.[0] as string,
    category: fields.category?.[0] as Category,
    symbol: fields.symbol?.[0] as string,
  };
}
