import type { SeriesStore } from '../../../core/insights/ports.ts';
import { type CandleTotals, NO_RETURNS } from '../../../core/insights/totals.ts';
import {
  type Candle,
  type CandleSeries,
  candleFromHistory,
  type PriceTick,
} from '../../../core/market/candle.ts';
import { CANDLE_INDICES, TICKER_INDICES } from '../../../core/market/index-names.ts';
import type { CandleHours } from '../../../core/market/price-path.ts';
import type { Window } from '../../../core/market/window.ts';
import { type CandleRecord, candleOf } from '../candle-record.ts';
import { candleWindowIn, numberIn, type SearchHit, textIn } from '../hits.ts';
import { allOf, candlesIn, newestFirst, ofSeries, ticksIn, values } from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';
import {
  type Bucket,
  type Buckets,
  type ExtendedStats,
  LOG_RETURNS,
  type Metric,
  max,
  min,
  returnSums,
  sum,
} from './aggregations.ts';

const IS_BACKFILL = { term: { source: 'backfill' } };

/** The candles and ticks of one series. */
export class OpenSearchSeries implements SeriesStore {
  readonly #search: OpenSearchSearch;

  constructor(search: OpenSearchSearch) {
    this.#search = search;
  }

  async candles(series: CandleSeries, window: Window): Promise<Candle[]> {
    const inWindow = candlesIn(series, window);
    const [backfilled, ticked] = await Promise.all([
      // Their paths follow from their prices, and doc values are ten times as fast to read as documents.
      this.#search.all(CANDLE_INDICES, {
        query: allOf(inWindow, IS_BACKFILL),
        sort: ['start'],
        ...values('hours', 'open', 'high', 'low', 'close', 'volume', 'turnover', 'samples', 'start'),
      }),
      this.#search.all<CandleRecord>(CANDLE_INDICES, {
        query: { bool: { filter: [inWindow], must_not: [IS_BACKFILL] } },
        sort: ['start'],
      }),
    ]);
    const candles = [
      ...backfilled.map((hit) => backfilledCandle(series, hit)),
      ...ticked.map(({ _source }) => candleOf(_source)),
    ];
    return candles.sort((a, b) => a.startMs - b.startMs);
  }

  async totals(series: CandleSeries, window: Window): Promise<CandleTotals | undefined> {
    const edge = { query: candlesIn(series, window), ...values('hours', 'open', 'close', 'start') };
    const [{ hits, aggregations }, last] = await Promise.all([
      this.#search.search(CANDLE_INDICES, { ...edge, size: 1, sort: ['start'], aggs: TOTALS_BY_LENGTH }),
      this.#search.first(CANDLE_INDICES, { ...edge, ...newestFirst('start') }),
    ]);
    const first = hits.hits[0];
    if (!first || !last) return undefined;
    const { buckets } = (aggregations?.byLength ?? { buckets: [] }) as Buckets<LengthBucket>;
    return {
      hours: buckets.reduce((total, { key, doc_count }) => total + key * doc_count, 0),
      meanHours: buckets.reduce((total, { key, means }) => total + key * Number(means.value), 0),
      low: Math.min(...buckets.map(({ low }) => Number(low.value))),
      high: Math.max(...buckets.map(({ high }) => Number(high.value))),
      first: { startMs: numberIn(first, 'start'), open: numberIn(first, 'open') },
      last: { endMs: candleWindowIn(last).toMs, close: numberIn(last, 'close') },
      returns: {
        ...NO_RETURNS,
        ...Object.fromEntries(buckets.map(({ key, logReturns }) => [key, returnSums(logReturns)])),
      },
    };
  }

  async hoursByDay(series: CandleSeries, window: Window): Promise<Map<number, number>> {
    const { days } = await this.#search.aggregate<{ days: Buckets<Bucket<number> & { hours: Metric }> }>(
      CANDLE_INDICES,
      candlesIn(series, window),
      {
        days: {
          date_histogram: { field: 'start', fixed_interval: '1d', min_doc_count: 1 },
          aggs: { hours: sum('hours') },
        },
      },
    );
    return new Map(days?.buckets.map(({ key, hours }) => [key, Number(hours.value)]));
  }

  async covered(series: CandleSeries, window: Window): Promise<Window[]> {
    const hits = await this.#search.all(CANDLE_INDICES, {
      query: candlesIn(series, window),
      sort: ['start'],
      ...values('hours', 'start'),
    });
    return hits.map(candleWindowIn);
  }

  async tickHours(series: CandleSeries, windows: readonly Window[]): Promise<number[]> {
    const starts: number[] = [];
    for (const query of ticksIn(series, windows)) {
      const { hours } = await this.#search.aggregate<{ hours: Buckets<Bucket<number>> }>(
        TICKER_INDICES,
        query,
        { hours: { date_histogram: { field: 'slot', fixed_interval: '1h', min_doc_count: 1 } } },
      );
      starts.push(...(hours?.buckets ?? []).map(({ key }) => key));
    }
    return starts;
  }

  async ticks(series: CandleSeries, windows: readonly Window[]): Promise<PriceTick[]> {
    const ticks: PriceTick[] = [];
    for (const query of ticksIn(series, windows)) {
      const hits = await this.#search.all(TICKER_INDICES, {
        query,
        sort: ['slot'],
        ...values('last_price', 'slot'),
      });
      for (const hit of hits) {
        ticks.push({ slotMs: numberIn(hit, 'slot'), price: numberIn(hit, 'last_price') });
      }
    }
    return ticks;
  }

  async span(series: CandleSeries): Promise<Window | undefined> {
    const edges = (index: string, time: 'start' | 'slot', ...fields: string[]) => {
      const search = { query: ofSeries(series), ...values(time, ...fields) };
      return Promise.all([
        this.#search.first(index, { ...search, sort: [time] }),
        this.#search.first(index, { ...search, ...newestFirst(time) }),
      ]);
    };
    const [candles, ticks] = await Promise.all([
      edges(CANDLE_INDICES, 'start', 'hours'),
      edges(TICKER_INDICES, 'slot'),
    ]);
    const windows = [
      ...candles.flatMap((hit) => (hit ? [candleWindowIn(hit)] : [])),
      ...ticks.flatMap((hit) =>
        hit ? [{ fromMs: numberIn(hit, 'slot'), toMs: numberIn(hit, 'slot') + 1 }] : [],
      ),
    ];
    if (windows.length === 0) return undefined;
    return {
      fromMs: Math.min(...windows.map(({ fromMs }) => fromMs)),
      toMs: Math.max(...windows.map(({ toMs }) => toMs)),
    };
  }

  async quote(series: CandleSeries): Promise<string | undefined> {
    const search = { query: allOf(ofSeries(series), { exists: { field: 'quote' } }), ...values('quote') };
    const hit =
      (await this.#search.first(CANDLE_INDICES, { ...search, ...newestFirst('start') })) ??
      (await this.#search.first(TICKER_INDICES, { ...search, ...newestFirst('slot') }));
    return hit && textIn(hit, 'quote');
  }
}

interface LengthBucket extends Bucket<CandleHours> {
  means: Metric;
  low: Metric;
  high: Metric;
  logReturns: ExtendedStats;
}

const TOTALS_BY_LENGTH = {
  byLength: {
    terms: { field: 'hours' },
    aggs: { means: sum('mean'), low: min('low'), high: max('high'), logReturns: LOG_RETURNS },
  },
};

function backfilledCandle(series: CandleSeries, hit: SearchHit): Candle {
  const prices = {
    startMs: numberIn(hit, 'start'),
    open: numberIn(hit, 'open'),
    high: numberIn(hit, 'high'),
    low: numberIn(hit, 'low'),
    close: numberIn(hit, 'close'),
    ...(hit.fields.volume ? { volume: numberIn(hit, 'volume') } : {}),
    ...(hit.fields.turnover ? { turnover: numberIn(hit, 'turnover') } : {}),
  };
  const candle = candleFromHistory(series, prices, numberIn(hit, 'hours') as CandleHours);
  return { ...candle, samples: numberIn(hit, 'samples') };
}
