import type { Absence } from '../../../core/completeness/absence.ts';
import type { SeriesStore } from '../../../core/insights/ports.ts';
import type { Candle, CandleSeries, PathlessCandle, PriceTick } from '../../../core/market/candle.ts';
import { CANDLE_INDICES, TICKER_INDICES } from '../../../core/market/index-names.ts';
import type { Window } from '../../../core/market/window.ts';
import { type CandleRecord, candleOf } from '../candle-record.ts';
import { candleWindowIn, numberIn, textIn } from '../hits.ts';
import { allOf, candlesIn, newestFirst, ofSeries, ticksIn, timeRange, values } from '../queries.ts';
import type { OpenSearchSearch } from '../search.ts';
import { absenceOf } from './absence.ts';
import { type Metric, max, min } from './aggregations.ts';
import { COLUMN_VALUES, candleColumns, pathlessCandleIn } from './candle-columns.ts';

/** Up to this many windows are read without checking first which have ticks. */
const FEW_WINDOWS = 10;

/** The candles and ticks of one series. */
export class OpenSearchSeries implements SeriesStore {
  readonly #search: OpenSearchSearch;

  constructor(search: OpenSearchSearch) {
    this.#search = search;
  }

  async candles(series: CandleSeries, window: Window): Promise<Candle[]> {
    const hits = await this.#search.all<CandleRecord>(CANDLE_INDICES, {
      query: candlesIn(series, window),
      sort: ['start'],
    });
    return hits.map(({ _source }) => candleOf(_source));
  }

  pathlessCandles(series: CandleSeries, window: Window): Promise<PathlessCandle[]> {
    return candleColumns(this.#search, series, candlesIn(series, window));
  }

  async candleBefore(series: CandleSeries, timeMs: number): Promise<PathlessCandle | undefined> {
    const hit = await this.#search.first(CANDLE_INDICES, {
      query: allOf(ofSeries(series), timeRange('start', undefined, timeMs)),
      ...newestFirst('start'),
      ...COLUMN_VALUES,
    });
    return hit && pathlessCandleIn(series, hit);
  }

  async ticks(series: CandleSeries, windows: readonly Window[]): Promise<PriceTick[]> {
    const ticks: PriceTick[] = [];
    for (const query of ticksIn(series, await this.#withTicks(series, windows))) {
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

  /** The windows that may have ticks: a gappy history has thousands of windows, nearly all older than its first tick. */
  async #withTicks(series: CandleSeries, windows: readonly Window[]): Promise<readonly Window[]> {
    const [first, last] = [windows[0], windows.at(-1)];
    if (!first || !last || windows.length <= FEW_WINDOWS) return windows;
    const { oldest, newest } = await this.#search.aggregate<Record<'oldest' | 'newest', Metric>>(
      TICKER_INDICES,
      allOf(ofSeries(series), timeRange('slot', first.fromMs, last.toMs)),
      { oldest: min('slot'), newest: max('slot') },
    );
    const [fromMs, untilMs] = [oldest?.value, newest?.value];
    if (typeof fromMs !== 'number' || typeof untilMs !== 'number') return [];
    return windows.filter((window) => window.toMs > fromMs && window.fromMs <= untilMs);
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

  absence(series: CandleSeries): Promise<Absence> {
    return absenceOf(this.#search, series);
  }
}
