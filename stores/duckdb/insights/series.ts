import type { ColumnFile } from '../../../core/columns/objects.ts';
import { type ColumnTable, columnsOf } from '../../../core/columns/tables.ts';
import { type Absence, notListedOf } from '../../../core/completeness/absence.ts';
import { inScope } from '../../../core/insights/in-scope.ts';
import type { MarketListings, MarketNotes, SeriesStore } from '../../../core/insights/ports.ts';
import {
  CANDLE_VERSION,
  type Candle,
  type CandleSeries,
  type PathlessCandle,
  type PriceTick,
} from '../../../core/market/candle.ts';
import type { CandleHours, PathPoint } from '../../../core/market/price-path.ts';
import { HOUR_MS } from '../../../core/market/time.ts';
import type { Window } from '../../../core/market/window.ts';
import type { NumberChunk } from '../database.ts';
import { between, ms, ofSeries } from './sql.ts';
import { filesIn, filesOf, type LakeTables, periodOf } from './tables.ts';

/** In the order of {@link candleIn}. */
const CANDLE_COLUMNS = [
  ...[ms('start'), 'hours::DOUBLE', 'open', 'high', 'low', 'close', 'mean'],
  ...["(source = 'ticks')::DOUBLE", 'samples::DOUBLE', 'polls_due::DOUBLE', 'volume', 'turnover'],
].join(', ');

const IN_ORDER = 'start, hours';

/** All but the paths, which are most of the bytes. */
const { path: _, ...PATHLESS } = columnsOf('candles');
const PATHLESS_COLUMNS = Object.keys(PATHLESS);

/** The candles and ticks of one series, from the lake's Parquet files. */
export class LakeSeries implements SeriesStore {
  readonly #tables: LakeTables;
  readonly #notes: MarketListings & MarketNotes;

  constructor(tables: LakeTables, notes: MarketListings & MarketNotes) {
    this.#tables = tables;
    this.#notes = notes;
  }

  async candles(series: CandleSeries, window: Window): Promise<Candle[]> {
    const candles = await this.pathlessCandles(series, window);
    const paths = await this.#paths(series, window, candles.length);
    return candles.map((candle, index) => ({ ...candle, path: paths[index] ?? [] }));
  }

  async pathlessCandles(series: CandleSeries, window: Window): Promise<PathlessCandle[]> {
    const files = await this.#files('candles', series, window);
    return this.#candles(
      series,
      files,
      `${between('start', window.fromMs, window.toMs)} ORDER BY ${IN_ORDER}`,
    );
  }

  async candleBefore(series: CandleSeries, timeMs: number): Promise<PathlessCandle | undefined> {
    const files = await this.#files('candles', series, { toMs: timeMs });
    const before = `${between('start', undefined, timeMs)} ORDER BY start DESC, hours LIMIT 1`;
    for await (const file of filesOf(this.#tables, files.reverse(), series.symbol)) {
      const [found] = await this.#candles(series, [file], before);
      if (found) return found;
    }
    return undefined;
  }

  async ticks(series: CandleSeries, windows: readonly Window[]): Promise<PriceTick[]> {
    const ticks: PriceTick[] = [];
    for (const file of await this.#files('tickers', series)) {
      const day = periodOf(file);
      const inDay = windows.filter(({ fromMs, toMs }) => fromMs < day.toMs && toMs > day.fromMs);
      if (inDay.length === 0) continue;
      const isAsked = inDay.map(({ fromMs, toMs }) => `(${between('slot', fromMs, toMs)})`).join(' OR ');
      const chunks = this.#tables.numbers(
        { files: [file], symbols: [series.symbol], columns: ['slot', 'last_price'] },
        (from) =>
          `SELECT ${ms('slot')}, last_price FROM ${from} WHERE ${ofSeries(series)} AND (${isAsked}) ORDER BY slot`,
      );
      for await (const { count, value } of chunks) {
        for (let row = 0; row < count; row++) {
          ticks.push({ slotMs: Number(value(0, row)), price: Number(value(1, row)) });
        }
      }
    }
    return ticks;
  }

  async span(series: CandleSeries): Promise<Window | undefined> {
    const edges = async (table: ColumnTable, columns: string[], first: string, end: string) => {
      const files = await this.#files(table, series);
      const outermost: ColumnFile[] = [];
      for (const inOrder of [files, files.toReversed()]) {
        const { value } = await filesOf(this.#tables, inOrder, series.symbol).next();
        if (value) outermost.push(value);
      }
      return this.#tables.rows<{ fromMs: number; toMs: number }>(
        { files: [...new Set(outermost)], symbols: [series.symbol], columns },
        (from) =>
          `SELECT min(${first}) AS "fromMs", max(${end}) AS "toMs" FROM ${from} WHERE ${ofSeries(series)}`,
      );
    };
    const windows = [
      ...(await edges('candles', ['start', 'hours'], ms('start'), `${ms('start')} + hours * ${HOUR_MS}`)),
      ...(await edges('tickers', ['slot'], ms('slot'), `${ms('slot')} + 1`)),
    ];
    if (windows.length === 0) return undefined;
    return {
      fromMs: Math.min(...windows.map(({ fromMs }) => fromMs)),
      toMs: Math.max(...windows.map(({ toMs }) => toMs)),
    };
  }

  async quote(series: CandleSeries): Promise<string | undefined> {
    for (const [table, time] of [
      ['candles', 'start'],
      ['tickers', 'slot'],
    ] as const) {
      const files = await this.#files(table, series);
      const { value: last } = await filesOf(this.#tables, files.reverse(), series.symbol).next();
      const [found] = await this.#tables.rows<{ quote: string }>(
        { files: last ? [last] : [], symbols: [series.symbol], columns: [time, 'quote'] },
        (from) =>
          `SELECT quote FROM ${from} WHERE ${ofSeries(series)} AND quote IS NOT NULL ORDER BY ${time} DESC LIMIT 1`,
      );
      if (found) return found.quote;
    }
    return undefined;
  }

  async absence(series: CandleSeries): Promise<Absence> {
    const [listings, exchangeDown, polls] = await Promise.all([
      this.#notes.listings(series),
      this.#notes.exchangeDown(series),
      this.#polls(series),
    ]);
    return {
      notListed: notListedOf(listings.filter(({ symbol }) => symbol === series.symbol)),
      exchangeDown,
      polls,
    };
  }

  /** The first and the last tick of a series' market. */
  async #polls(series: CandleSeries): Promise<Absence['polls']> {
    const files = await this.#files('tickers', series);
    const outermost = [...new Set([files[0], files.at(-1)])].filter((file) => file !== undefined);
    const [found] = await this.#tables.rows<{ firstMs: number | null; lastMs: number }>(
      { files: outermost, columns: ['slot'] },
      (from) => `SELECT min(${ms('slot')}) AS "firstMs", max(${ms('slot')}) AS "lastMs" FROM ${from}`,
    );
    return found && found.firstMs !== null ? { firstMs: found.firstMs, lastMs: found.lastMs } : undefined;
  }

  #files(table: ColumnTable, series: CandleSeries, window?: Partial<Window>): Promise<ColumnFile[]> {
    return filesIn(this.#tables, table, series, inScope, window);
  }

  async #candles(
    series: CandleSeries,
    files: readonly ColumnFile[],
    condition: string,
  ): Promise<PathlessCandle[]> {
    const candles: PathlessCandle[] = [];
    const chunks = this.#tables.numbers(
      { files, symbols: [series.symbol], columns: PATHLESS_COLUMNS },
      (from) => `SELECT ${CANDLE_COLUMNS} FROM ${from} WHERE ${ofSeries(series)} AND ${condition}`,
    );
    for await (const chunk of chunks) {
      for (let row = 0; row < chunk.count; row++) candles.push(candleIn(series, chunk, row));
    }
    return candles;
  }

  /** Of the candles in their order, point by point: lists within rows are slow to read. */
  async #paths(series: CandleSeries, window: Window, candles: number): Promise<PathPoint[][]> {
    const paths = Array.from({ length: candles }, (): PathPoint[] => []);
    const files = await this.#files('candles', series, window);
    const chunks = this.#tables.numbers(
      { files, symbols: [series.symbol], columns: ['start', 'hours', 'path'] },
      (from) => `WITH candle AS (
          SELECT row_number() OVER (ORDER BY ${IN_ORDER}) - 1 AS candle, path FROM ${from}
          WHERE ${ofSeries(series)} AND ${between('start', window.fromMs, window.toMs)}
        ), point AS (
          SELECT candle, generate_subscripts(path, 1) AS place, unnest(path) AS point FROM candle
        )
        SELECT candle::DOUBLE, point.offset_ms::DOUBLE, point.price FROM point ORDER BY candle, place`,
    );
    for await (const { count, value } of chunks) {
      for (let row = 0; row < count; row++) {
        paths[Number(value(0, row))]?.push([Number(value(1, row)), Number(value(2, row))]);
      }
    }
    return paths;
  }
}

function candleIn(series: CandleSeries, { value }: NumberChunk, row: number): PathlessCandle {
  const number = (column: number) => value(column, row) as number;
  const optional = (name: 'polls_due' | 'volume' | 'turnover', column: number) => {
    const found = value(column, row);
    return found === null ? {} : { [name]: found };
  };
  return {
    v: CANDLE_VERSION,
    ...series,
    startMs: number(0),
    hours: number(1) as CandleHours,
    open: number(2),
    high: number(3),
    low: number(4),
    close: number(5),
    mean: number(6),
    ...optional('volume', 10),
    ...optional('turnover', 11),
    samples: number(8),
    ...optional('polls_due', 9),
    source: number(7) === 1 ? 'ticks' : 'backfill',
  };
}
