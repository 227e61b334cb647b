import { rm } from 'node:fs/promises';
import type { PlannedDay } from '../../core/columns/candle-months.ts';
import { columnsOf, SORTED_BY } from '../../core/columns/tables.ts';
import { type Candle, isWellSampled } from '../../core/market/candle.ts';
import { DAY_MS, dayOf, HOUR_MS } from '../../core/market/time.ts';
import type { Database } from './database.ts';
import { writeSorted } from './parquet.ts';
import { quoted } from './sql-text.ts';
import { SQL_TYPES } from './sql-types.ts';
import { StagedRows } from './staged-rows.ts';

const COLUMNS = columnsOf('candles');
/**
 * What DuckDB may use, at first, and then if that does not do: 1,700 series with a price every two minutes need the first,
 * and a process of 480 MB.
 */
export const MONTH_MEMORY = ['160MB', '384MB', '768MB'] as const;
/** Candles that are sorted at once. */
const SHARE_ROWS = 50_000;
/** Days are chosen together while they have no more ticks and recorded candles than this, because each statement takes time. */
const ROWS_AT_ONCE = 50_000;
const STORED = Object.keys(COLUMNS).filter((name) => name !== 'log_return');

type Day = Pick<PlannedDay, 'startMs' | 'pollsDue' | 'ticks'>;
type TickedDay = Day & Required<Pick<Day, 'ticks'>>;

/**
 * A month of one market's candles, in a database of its own. The rules are those of core/market/candle.ts and
 * core/summarise/candle-changes.ts, for many series at once: of an hour, its ticks or its recorded prices; of a day, its
 * hours or its daily candle.
 */
export class CandleMonth {
  readonly #database: Database;
  readonly #folder: string;
  /** How many recorded candles a day has, by its start. */
  readonly #recorded = new Map<number, number>();
  /** Days that wait for more. */
  #waiting: Day[] = [];
  #waitingRows = 0;

  private constructor(database: Database, folder: string) {
    this.#database = database;
    this.#folder = folder;
  }

  /** @param folder for temporary files, deleted by the caller */
  static async create(database: Database, folder: string): Promise<CandleMonth> {
    const columns = STORED.map((name) => `${name} ${SQL_TYPES[COLUMNS[name] ?? 'number']}`).join(', ');
    await database.run(`CREATE TABLE candles (${columns})`);
    await database.run('CREATE VIEW month AS FROM candles');
    await database.run(`CREATE TABLE recorded (place INTEGER, ${columns})`);
    await database.run(
      'CREATE TABLE closes (symbol VARCHAR, hours INTEGER, until TIMESTAMPTZ, close DOUBLE)',
    );
    return new CandleMonth(database, folder);
  }

  /**
   * Takes over the days of an earlier file, apart from some.
   * @param path of the file, which has to stay
   * @param days their starts, epoch ms
   */
  async keep(path: string, days: readonly number[]): Promise<void> {
    const others = ['NULL', ...days.map(timestamp)].join(', ');
    await this.#run(`
      CREATE OR REPLACE VIEW month AS FROM candles UNION ALL BY NAME
      SELECT ${STORED.join(', ')} FROM read_parquet('${path}')
      WHERE date_trunc('day', start) IN (${others}) IS NOT TRUE`);
  }

  /** Recorded candles, for the days that are added later. Of several for the same time, the last one counts. */
  async record(candles: AsyncIterable<readonly Candle[]>): Promise<void> {
    const path = `${this.#folder}/recorded.ndjson`;
    const rows = new StagedRows(path, { place: 'count', ...COLUMNS });
    let place = 0;
    for await (const some of candles) {
      place += 1;
      for (const { startMs, ...candle } of some) {
        const day = dayOf(startMs);
        this.#recorded.set(day, (this.#recorded.get(day) ?? 0) + 1);
        rows.add({ ...candle, place, start: new Date(startMs).toISOString() });
      }
    }
    await this.#run(`INSERT INTO recorded BY NAME SELECT place, ${STORED.join(', ')} FROM (${rows.close()})`);
  }

  /**
   * Adds the candles of a day, later than those before.
   * @param ticks the day's Parquet file of tickers, if it has one; deleted when it has been read
   */
  async addDay({ startMs, pollsDue, ticks }: Day): Promise<void> {
    const rows = (this.#recorded.get(startMs) ?? 0) + (ticks ? await this.#rowsIn(ticks) : 0);
    if (this.#waitingRows + rows > ROWS_AT_ONCE) await this.#choose();
    this.#waiting.push({ startMs, pollsDue, ...(ticks ? { ticks } : {}) });
    this.#waitingRows += rows;
  }

  async #rowsIn(path: string): Promise<number> {
    const [counted] = await this.#database.rows<{ rows: number }>(
      `SELECT count(*)::INTEGER AS "rows" FROM read_parquet(${quoted(path)})`,
    );
    return counted?.rows ?? 0;
  }

  /** Chooses the candles of the days that wait. */
  async #choose(): Promise<void> {
    const days = this.#waiting.splice(0);
    this.#waitingRows = 0;
    if (days.length === 0) return;
    const ticked = days.filter((day): day is TickedDay => day.ticks !== undefined);
    await this.#run(
      `CREATE OR REPLACE TEMP TABLE ticked AS ${ticked.length > 0 ? candlesOfTicks(ticked) : NO_TICKS}`,
    );
    await this.#run(`CREATE OR REPLACE TEMP TABLE recorded_days AS ${recordedOf(days)}`);
    await this.#run(`INSERT INTO candles BY NAME ${CHOSEN}`);
    for (const { ticks } of ticked) await rm(ticks);
  }

  /**
   * Writes the candles with their log returns.
   * @param previous the file of the month before, if there is one
   * @param startMs of the month
   */
  async write(path: string, startMs: number, previous: string | undefined): Promise<void> {
    await this.#choose();
    const until = `start + to_hours(hours)`;
    await this.#run(`INSERT INTO closes SELECT symbol, hours, ${until}, close FROM month`);
    if (previous) {
      await this.#run(`
        INSERT INTO closes SELECT symbol, hours, ${until}, close FROM read_parquet('${previous}')
        WHERE start >= ${timestamp(startMs - DAY_MS)} AND ${until} = ${timestamp(startMs)}`);
    }
    // Sorted at once, a busy month's paths would take twice the memory.
    await this.#run(`CREATE TABLE sorted AS SELECT *, 0.0::DOUBLE AS log_return FROM candles LIMIT 0`);
    for (const { first, last } of await this.#shares()) {
      const isIn = (table: string) => `${table}.symbol BETWEEN ${quoted(first)} AND ${quoted(last)}`;
      await this.#run(`
        INSERT INTO sorted BY NAME
        SELECT month.*, natural_log(month.close / closes.close) AS log_return
        FROM month LEFT JOIN (FROM closes WHERE ${isIn('closes')}) closes
          ON closes.symbol = month.symbol AND closes.hours = month.hours AND closes.until = month.start
        WHERE ${isIn('month')}
        ORDER BY ${SORTED_BY.candles.map((name) => `month.${name}`).join(', ')}`);
    }
    await this.#enough(() => writeSorted(this.#database, 'candles', 'FROM sorted', path));
  }

  #run(sql: string): Promise<void> {
    return this.#enough(() => this.#database.run(sql));
  }

  #enough(work: () => Promise<void>): Promise<void> {
    return this.#database.withEnoughMemory(MONTH_MEMORY, work);
  }

  /** The first and last symbol of shares of the month that are small enough to be sorted in memory. */
  #shares(): Promise<{ first: string; last: string }[]> {
    return this.#database.rows(`
      SELECT min(symbol) AS first, max(symbol) AS last FROM (
        SELECT symbol, sum(count(*)) OVER (ORDER BY symbol) // ${SHARE_ROWS} AS share FROM month GROUP BY symbol
      ) GROUP BY share ORDER BY share`);
  }
}

/** The mean is the sum in the order of the ticks, as `candleFromTicks` adds them, divided by their number. */
function candlesOfTicks(days: readonly TickedDay[]): string {
  return `
    SELECT 1 AS v, symbol, first.base AS base, first.quote AS quote, start, 1 AS hours,
      path[1].price AS open, high, low, path[-1].price AS close,
      list_sum(list_transform(path, lambda point: point.price)) / len(path) AS mean,
      len(path)::INTEGER AS samples, polls_due, enough, path, 'ticks' AS source
    FROM (
      SELECT symbol, date_trunc('hour', slot) AS start, min_by({base: base, quote: quote}, slot) AS first,
        max(last_price) AS high, min(last_price) AS low,
        list_sort(list({offset_ms: (epoch_ms(slot) % ${HOUR_MS})::INTEGER, price: last_price})) AS path
      FROM read_parquet([${days.map(({ ticks }) => quoted(ticks)).join(', ')}]) GROUP BY ALL
    ) JOIN (${dueIn(days)}) due ON due.start_ms = epoch_ms(start)`;
}

/** As {@link candlesOfTicks}, of days without any. */
const NO_TICKS = 'SELECT *, 0.0::DOUBLE AS enough FROM candles LIMIT 0';

/** Of each hour, how many polls were due, and how many ticks are preferred to recorded prices. */
function dueIn(days: readonly TickedDay[]): string {
  const hours = days.flatMap(({ startMs, pollsDue }) =>
    pollsDue.map((polls, hour) => ({ startMs: startMs + hour * HOUR_MS, polls, enough: enoughTicks(polls) })),
  );
  const list = (name: keyof (typeof hours)[number]) =>
    `unnest([${hours.map((hour) => hour[name]).join(', ')}])`;
  return `SELECT ${list('startMs')} AS start_ms, ${list('polls')} AS polls_due, ${list('enough')} AS enough`;
}

/** Between the first of the days and the last there are recorded candles of no others. */
function recordedOf(days: readonly Day[]): string {
  const starts = days.map(({ startMs }) => startMs);
  return `
    SELECT * EXCLUDE (place) FROM recorded
    WHERE start >= ${timestamp(Math.min(...starts))} AND start < ${timestamp(Math.max(...starts) + DAY_MS)}
    QUALIFY row_number() OVER (PARTITION BY symbol, hours, start ORDER BY place DESC) = 1`;
}

const SERIES_DAY = `(symbol, date_trunc('day', start))`;

/** The rules of `chooseCandle`, and of when a daily candle gives way to hourly ones. */
const CHOSEN = `
  WITH hourly AS (
    SELECT ticked.* EXCLUDE (enough) , ticked.samples >= enough OR recorded.source = 'backfill' AS replaces_day
    FROM ticked LEFT JOIN recorded_days recorded
      ON recorded.symbol = ticked.symbol AND recorded.start = ticked.start AND recorded.hours = 1
    WHERE recorded.symbol IS NULL OR ticked.samples >= enough
    UNION ALL BY NAME
    SELECT recorded.* REPLACE (coalesce(ticked.samples, 0) AS samples, ticked.polls_due AS polls_due),
      true AS replaces_day
    FROM recorded_days recorded LEFT JOIN ticked
      ON recorded.symbol = ticked.symbol AND recorded.start = ticked.start
    WHERE recorded.hours = 1 AND (ticked.symbol IS NULL OR ticked.samples < enough)
  ),
  daily AS (
    SELECT * FROM recorded_days WHERE hours = 24
      AND ${SERIES_DAY} NOT IN (SELECT ${SERIES_DAY} FROM hourly WHERE replaces_day)
  )
  SELECT * EXCLUDE (replaces_day) FROM hourly WHERE ${SERIES_DAY} NOT IN (SELECT ${SERIES_DAY} FROM daily)
  UNION ALL BY NAME
  SELECT * FROM daily`;

/** So many ticks are preferred to recorded prices. */
function enoughTicks(pollsDue: number): number {
  let samples = 0;
  while (!isWellSampled(samples, pollsDue)) samples += 1;
  return samples;
}

function timestamp(timeMs: number): string {
  return `TIMESTAMPTZ '${new Date(timeMs).toISOString()}'`;
}
