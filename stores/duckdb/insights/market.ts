import type { ColumnFile } from '../../../core/columns/objects.ts';
import type { ColumnTable } from '../../../core/columns/tables.ts';
import { inMarket } from '../../../core/insights/in-scope.ts';
import type {
  HourOfSeries,
  MarketStore,
  MoveCount,
  Scope,
  SeriesExtent,
  SeriesTotals,
} from '../../../core/insights/ports.ts';
import type { CandleSeries } from '../../../core/market/candle.ts';
import type { MoveDirection } from '../../../core/market/directional-change.ts';
import type { CandleHours } from '../../../core/market/price-path.ts';
import { formatMarket, formatSeries, type Series } from '../../../core/market/series.ts';
import { DAY_MS, dayOf, HOUR_MS } from '../../../core/market/time.ts';
import type { Trade } from '../../../core/market/turnover.ts';
import type { Window } from '../../../core/market/window.ts';
import { between, list, ms, SERIES_COLUMNS } from './sql.ts';
import { filesIn, type LakeTables, newestFirst } from './tables.ts';
import { candleTrades, tickTrades } from './trades.ts';

const BY_SERIES = `GROUP BY ${SERIES_COLUMNS} ORDER BY ${SERIES_COLUMNS}`;

/** The sums of the log returns of candles of a length, `count`, `sum` and `sum of squares`. */
const returnSums = (hours: CandleHours) => `
  count(log_return) FILTER (hours = ${hours})::DOUBLE AS n${hours},
  coalesce(fsum(log_return) FILTER (hours = ${hours}), 0) AS s${hours},
  coalesce(fsum(log_return * log_return) FILTER (hours = ${hours}), 0) AS q${hours}`;

/** All series together, from the lake's Parquet files. */
export class LakeMarket implements MarketStore {
  readonly #tables: LakeTables;

  constructor(tables: LakeTables) {
    this.#tables = tables;
  }

  async totalsBySeries(scope: Scope, window: Window): Promise<SeriesTotals[]> {
    const rows = await this.#tables.rows<Series & Totals>(
      {
        files: await this.#files('candles', scope, window),
        columns: ['start', 'hours', 'low', 'high', 'log_return'],
      },
      (from) => `
        SELECT ${SERIES_COLUMNS}, sum(hours)::DOUBLE AS hours, min(low) AS low, max(high) AS high,
          max(${ms('start')}) AS "lastMs", ${returnSums(1)}, ${returnSums(24)}
        FROM ${from} WHERE ${between('start', window.fromMs, window.toMs)} ${BY_SERIES}`,
    );
    return rows.map(({ exchange, category, symbol, n1, s1, q1, n24, s24, q24, ...totals }) => ({
      series: { exchange, category, symbol },
      ...totals,
      returns: {
        1: { count: n1, sum: s1, sumOfSquares: q1 },
        24: { count: n24, sum: s24, sumOfSquares: q24 },
      },
    }));
  }

  async extents(scope: Scope, window: Partial<Window> = {}): Promise<SeriesExtent[]> {
    const rows = await this.#tables.rows<Series & Omit<SeriesExtent, 'series'>>(
      { files: await this.#files('candles', scope, window), columns: ['start', 'hours'] },
      (from) => `
        SELECT ${SERIES_COLUMNS}, min(${ms('start')}) AS "firstMs", max(${ms('start')}) AS "lastMs",
          max(${ms('start')} + hours * ${HOUR_MS}) AS "endMs", sum(hours)::DOUBLE AS hours
        FROM ${from} WHERE ${between('start', window.fromMs, window.toMs)} ${BY_SERIES}`,
    );
    return rows.map(({ exchange, category, symbol, ...extent }) => ({
      series: { exchange, category, symbol },
      ...extent,
    }));
  }

  async tickTrades(window: Window): Promise<Trade[]> {
    return tickTrades(this.#tables, await this.#files('tickers', {}, window), 'true', window);
  }

  async candleTrades(window: Window): Promise<Trade[][]> {
    return candleTrades(this.#tables, await this.#files('candles', {}, window), 'true', window);
  }

  async lastSummarisedHour(scope: Scope, window: Window): Promise<number | undefined> {
    for (const files of newestFirst(await this.#files('candles', scope, window))) {
      const [last] = await this.#tables.rows<{ startMs: number | null }>(
        { files, columns: ['start', 'samples'] },
        (from) => `SELECT max(${ms('start')}) AS "startMs" FROM ${from}
          WHERE samples >= 1 AND ${between('start', window.fromMs, window.toMs)}`,
      );
      if (typeof last?.startMs === 'number') return last.startMs;
    }
    return undefined;
  }

  async hoursFromCandles(scope: Scope, { fromMs, toMs }: Window): Promise<HourOfSeries[]> {
    const reachesIn = `hours = 24 AND ${between('start', dayOf(fromMs), fromMs)}`;
    const rows = await this.#tables.rows<HourOfSeries & { log_return: number | null }>(
      {
        files: await this.#files('candles', scope, { fromMs: fromMs - DAY_MS, toMs }),
        columns: ['start', 'hours', 'low', 'high', 'close', 'log_return'],
      },
      (from) => `
        SELECT ${SERIES_COLUMNS}, ${ms('start')} AS "startMs", hours, low, high, close, log_return
        FROM ${from} WHERE (${between('start', fromMs, toMs)}) OR (${reachesIn})
        ORDER BY ${SERIES_COLUMNS}, start`,
    );
    return rows.map(({ log_return, ...hour }) => (log_return === null ? hour : { ...hour, log_return }));
  }

  async hoursFromTicks(scope: Scope, window: Window): Promise<HourOfSeries[]> {
    return this.#tables.rows<HourOfSeries>(
      { files: await this.#files('tickers', scope, window), columns: ['slot', 'last_price'] },
      (from) => `
        SELECT ${SERIES_COLUMNS}, ${ms("date_trunc('hour', slot)")} AS "startMs", 1 AS hours,
          min(last_price) AS low, max(last_price) AS high, arg_max(last_price, slot) AS close
        FROM ${from} WHERE ${between('slot', window.fromMs, window.toMs)}
        GROUP BY ALL ORDER BY ALL`,
    );
  }

  async moveCounts(series: readonly CandleSeries[], window: Window): Promise<MoveCount[]> {
    const markets = new Set(series.map(formatMarket));
    const files = await filesIn(
      this.#tables,
      'moves',
      {},
      () => (market) => markets.has(formatMarket(market)),
      window,
    );
    const symbols = [...new Set(series.map(({ symbol }) => symbol))];
    const rows = await this.#tables.rows<Series & Omit<MoveCount, 'series' | 'direction'> & Direction>(
      { files, symbols, columns: ['threshold', 'direction', 'confirmed_time'] },
      (from) => `
        SELECT ${SERIES_COLUMNS}, threshold, direction, count(*)::DOUBLE AS count
        FROM ${from} WHERE symbol IN ${list(symbols)}
          AND ${between('confirmed_time', window.fromMs, window.toMs)}
        GROUP BY ALL ORDER BY ALL`,
    );
    return rows.map(({ exchange, category, symbol, ...counted }) => ({
      series: formatSeries({ exchange, category, symbol }),
      ...counted,
    }));
  }

  #files(table: ColumnTable, scope: Scope, window?: Partial<Window>): Promise<ColumnFile[]> {
    return filesIn(this.#tables, table, scope, inMarket, window);
  }
}

interface Direction {
  direction: MoveDirection;
}

type Totals = Omit<SeriesTotals, 'series' | 'returns'> &
  Record<'n1' | 's1' | 'q1' | 'n24' | 's24' | 'q24', number>;
