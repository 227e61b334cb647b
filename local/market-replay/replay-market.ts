import type { RecordedPrices } from '../../core/market/candle.ts';
import { candlePath, PATH_OFFSETS_MS } from '../../core/market/price-path.ts';
import { HOUR_MS } from '../../core/market/time.ts';

/** An hour of one symbol. */
export interface ReplayRow extends RecordedPrices {
  readonly symbol: string;
}

export type SpotTicker = ReturnType<typeof tickerOf>;

/** One candle in Bybit v5's format: start in epoch milliseconds, open, high, low, close, volume, turnover. */
export type Kline = string[];

/** Selects the candles that start in [startMs, endMs] and are complete at `untilMs`. */
export interface KlineQuery {
  readonly symbol: string;
  readonly startMs?: number | undefined;
  readonly endMs?: number | undefined;
  /** @default 200 */
  readonly limit?: number | undefined;
  /** The replay's clock: candles whose last poll is later are not known yet. */
  readonly untilMs: number;
}

/** Where the replay starts by default; the months before are backfilled. */
export const REPLAY_START_MS = Date.parse('2018-07-01T00:00:00Z');

/** Bybit's default page size for klines. */
export const DEFAULT_KLINE_LIMIT = 200;

const HOURS_A_DAY = 24;
const OFFSETS_MS = PATH_OFFSETS_MS[1];
const LAST_OFFSET_MS = OFFSETS_MS[3];
/** Ask − bid as a fraction of the last price: 1 basis point. The history has no order book. */
const SPREAD_FRACTION = 0.0001;
const ORDER_SIZE = '1';

interface RecordedHour {
  readonly row: ReplayRow;
  /** The prices at the four offsets. */
  readonly prices: readonly number[];
}

interface Series {
  readonly symbol: string;
  /** Ascending. */
  readonly starts: readonly number[];
  readonly hours: ReadonlyMap<number, RecordedHour>;
}

/**
 * A market that replays recorded hourly candles. Each recorded hour is four polls, at its minutes 0, 20, 40 and 59, with
 * the prices of the hour's path, so the four ticks have exactly the recorded open, high, low and close. All times are
 * epoch milliseconds; the caller has the clock.
 */
export class ReplayMarket {
  /** Every symbol of the history, sorted. */
  readonly symbols: readonly string[];
  readonly #series: ReadonlyMap<string, Series>;
  /** The hours in which at least one symbol has a candle, ascending. */
  readonly #hours: readonly number[];

  /**
   * @param rows hourly candles, in any order
   * @throws {RangeError} if a row does not start on the hour or a symbol has two rows for one hour
   */
  constructor(rows: Iterable<ReplayRow>) {
    const hoursBySymbol = new Map<string, Map<number, RecordedHour>>();
    for (const row of rows) {
      const hours = hoursBySymbol.get(row.symbol) ?? new Map<number, RecordedHour>();
      const name = `${row.symbol} at ${new Date(row.startMs).toISOString()}`;
      if (row.startMs % HOUR_MS !== 0) {
        throw new RangeError(`${name}: the replay needs hourly candles that start on the hour`);
      }
      if (hours.has(row.startMs)) throw new RangeError(`${name}: the history has two candles for this hour`);
      hours.set(row.startMs, { row, prices: candlePath(row, 1).map(([, price]) => price) });
      hoursBySymbol.set(row.symbol, hours);
    }
    this.symbols = [...hoursBySymbol.keys()].sort();
    this.#series = new Map(
      [...hoursBySymbol].map(([symbol, hours]) => [
        symbol,
        { symbol, starts: ascending(hours.keys()), hours },
      ]),
    );
    this.#hours = ascending(new Set([...this.#series.values()].flatMap(({ starts }) => starts)));
  }

  /** The first poll at or after `startMs`, or undefined if the history ends before it. */
  firstSlot(startMs: number = REPLAY_START_MS): number | undefined {
    return this.nextSlot(startMs - 1);
  }

  /** The first poll after `afterMs` with a price of any symbol, or undefined at the end of the history. */
  nextSlot(afterMs: number): number | undefined {
    const hour = this.#hours.find((each) => each + LAST_OFFSET_MS > afterMs);
    if (hour === undefined) return undefined;
    const offsetMs = OFFSETS_MS.find((each) => hour + each > afterMs) ?? LAST_OFFSET_MS;
    return hour + offsetMs;
  }

  /**
   * The tickers of all symbols with a candle for the hour of `slotMs`, sorted by symbol. Between two polls the prices of
   * the earlier one apply.
   *
   * Values that candles do not record are derived: `prevPrice24h` is the price at the same point of the path 24 hours
   * before ("" in a gap), `price24hPcnt` (a fraction) comes from it, high and low are over the path's prices in (t − 24 h, t], volume
   * and turnover are those of the 24 whole hours before the current one (turnover = volume × close), bid and ask are half
   * a basis point around the last price with a constant size, and the index price is the last price.
   */
  tickersAt(slotMs: number): SpotTicker[] {
    return this.symbols.flatMap((symbol) => {
      const series = this.#series.get(symbol);
      return series?.hours.has(hourOf(slotMs)) ? [tickerOf(series, slotMs)] : [];
    });
  }

  /**
   * Complete hourly candles of a symbol, newest first. As with Bybit, a start alone selects the `limit` oldest from there
   * on, anything else the `limit` newest up to the end. Unlike with Bybit the current hour is omitted. `turnover` is
   * derived: volume × close. Empty for an unknown symbol.
   */
  klines({ symbol, startMs, endMs, limit = DEFAULT_KLINE_LIMIT, untilMs }: KlineQuery): Kline[] {
    const series = this.#series.get(symbol);
    if (series === undefined) return [];
    const lastStartMs = Math.min(endMs ?? Number.POSITIVE_INFINITY, untilMs - LAST_OFFSET_MS);
    const asked = series.starts.filter((start) => start >= (startMs ?? start) && start <= lastStartMs);
    const page = startMs !== undefined && endMs === undefined ? asked.slice(0, limit) : asked.slice(-limit);
    return page.reverse().flatMap((start) => {
      const hour = series.hours.get(start);
      return hour === undefined ? [] : [klineOf(hour.row)];
    });
  }
}

/** In Bybit v5's format: every value is a string, "" if unknown. */
function tickerOf({ symbol, hours }: Series, slotMs: number) {
  const hour = hourOf(slotMs);
  const point = pathPointAt(slotMs - hour);
  const dayBefore = hours.get(hour - HOURS_A_DAY * HOUR_MS);
  const soFar = hours.get(hour)?.prices.slice(0, point + 1) ?? [];
  const last = soFar[point] ?? Number.NaN;
  const previous = dayBefore?.prices[point];

  const window = [...soFar, ...(dayBefore?.prices.slice(point + 1) ?? [])];
  let volume = 0;
  let turnover = 0;
  let hoursWithVolume = 0;
  for (let back = 1; back <= HOURS_A_DAY; back += 1) {
    const row = hours.get(hour - back * HOUR_MS)?.row;
    if (row === undefined) continue;
    hoursWithVolume += 1;
    volume += row.volume ?? 0;
    turnover += (row.volume ?? 0) * row.close;
    // Of the oldest hour only the points after `slotMs − 24 h` count, which are in the window already.
    if (back < HOURS_A_DAY) window.push(row.high, row.low);
  }

  return {
    symbol,
    bid1Price: derivedPrice(last * (1 - SPREAD_FRACTION / 2)),
    bid1Size: ORDER_SIZE,
    ask1Price: derivedPrice(last * (1 + SPREAD_FRACTION / 2)),
    ask1Size: ORDER_SIZE,
    lastPrice: plainDecimal(last),
    prevPrice24h: previous === undefined ? '' : plainDecimal(previous),
    price24hPcnt: previous === undefined ? '' : plainDecimal(Number((last / previous - 1).toFixed(8))),
    highPrice24h: plainDecimal(Math.max(...window)),
    lowPrice24h: plainDecimal(Math.min(...window)),
    turnover24h: hoursWithVolume === 0 ? '' : plainDecimal(turnover),
    volume24h: hoursWithVolume === 0 ? '' : plainDecimal(volume),
    usdIndexPrice: plainDecimal(last),
  };
}

function klineOf({ startMs, open, high, low, close, volume = 0 }: ReplayRow): Kline {
  return [
    String(startMs),
    plainDecimal(open),
    plainDecimal(high),
    plainDecimal(low),
    plainDecimal(close),
    plainDecimal(volume),
    plainDecimal(volume * close),
  ];
}

const PLAIN = new Intl.NumberFormat('en', {
  useGrouping: false,
  maximumSignificantDigits: 21,
  signDisplay: 'negative',
});

/** Writes a finite number as exchanges do, exactly and without an exponent: 0.00000012, not 1.2e-7. */
export function plainDecimal(value: number): string {
  return PLAIN.format(value);
}

/** Ten digits are far finer than the spread; more would be meaningless. */
function derivedPrice(price: number): string {
  return plainDecimal(Number(price.toPrecision(10)));
}

function hourOf(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS) * HOUR_MS;
}

/** The last of the path's four points that is reached at this time of the hour. */
function pathPointAt(offsetMs: number): number {
  return OFFSETS_MS.findLastIndex((pointMs) => pointMs <= offsetMs);
}

function ascending(numbers: Iterable<number>): number[] {
  return [...numbers].sort((a, b) => a - b);
}
