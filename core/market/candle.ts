import { type CandleHours, type CandlePrices, candlePath, type PathPoint } from './price-path.ts';
import { formatSeries, type Series } from './series.ts';
import type { Ticker } from './ticker.ts';
import { HOUR_MS } from './time.ts';

/** The version of the candle record's shape; raised by every change that readers would notice. */
export const CANDLE_VERSION = 1;

/** A series with its currencies, if they are known. */
export interface CandleSeries extends Series, Pick<Ticker, 'base' | 'quote'> {}

/** One series in one hour (or day). Prices are in the quote currency; absent values are left out. */
export interface Candle extends CandleSeries, CandlePrices {
  v: typeof CANDLE_VERSION;
  /** Start of the hour or day, epoch ms. */
  startMs: number;
  hours: CandleHours;
  /** The average of the samples; of a backfilled candle (open + high + low + close) / 4. */
  mean: number;
  /**
   * Traded in the hour, in the base currency; absent if the history does not have it. Never from ticks, whose
   * volumes cover the last 24 hours.
   */
  volume?: number;
  /** The same trades in the quote currency. */
  turnover?: number;
  /** Ticks seen in the hour, also if the candle is backfilled. */
  samples: number;
  /**
   * Polls due in the hour, by the sampling interval configured when its ticks were first summarised. Absent if the
   * hour has no ticks, and from candles older than this field.
   */
  polls_due?: number;
  /** ln(close / previous close), if there is a candle of the same length just before. */
  log_return?: number;
  /** The prices in time order. */
  path: PathPoint[];
  source: 'ticks' | 'backfill';
}

/** A candle without its path, which is much faster to read. */
export type PathlessCandle = Omit<Candle, 'path'>;

/** One tick: its slot (epoch ms) and last price. */
export interface PriceTick {
  readonly slotMs: number;
  readonly price: number;
}

/** Recorded prices of an hour or day that starts at `startMs` (epoch ms). */
export interface RecordedPrices extends CandlePrices {
  readonly startMs: number;
  /** In the base currency. */
  readonly volume?: number | undefined;
  /** In the quote currency. */
  readonly turnover?: number | undefined;
  /** Where the history is finer than the candle. @default {@link candlePath} */
  readonly path?: PathPoint[] | undefined;
}

/** Whether the prices of a candle agree with each other. */
export function areInOrder({ open, high, low, close }: CandlePrices): boolean {
  return low <= Math.min(open, close) && high >= Math.max(open, close);
}

/** The rule of {@link areInOrder}, for messages. */
export const EXPECTED_ORDER = 'expected low <= open, close <= high';

/** The ticks cannot form a candle; the message names the series and the hour. */
export class CandleError extends Error {
  override readonly name = 'CandleError';
}

/** `exchange:category:symbol:hours:start in epoch ms`: a candle that is made again replaces itself. */
export function candleId(candle: Series & Pick<Candle, 'hours' | 'startMs'>): string {
  return `${formatSeries(candle)}:${candle.hours}:${candle.startMs}`;
}

/** The exclusive end of a candle, epoch ms. */
export function candleEndMs({ startMs, hours }: Pick<Candle, 'startMs' | 'hours'>): number {
  return startMs + hours * HOUR_MS;
}

/** The series and currencies of a ticker or candle, without the rest. */
export function candleSeriesOf({ exchange, category, symbol, base, quote }: CandleSeries): CandleSeries {
  return {
    exchange,
    category,
    symbol,
    ...(base === undefined ? {} : { base }),
    ...(quote === undefined ? {} : { quote }),
  };
}

/**
 * The candle of one hour, made of its ticks in any order. A tick's time is its slot.
 * @param startMs start of the hour, epoch ms
 * @throws CandleError if there is no tick or one is outside the hour
 */
export function candleFromTicks(series: CandleSeries, startMs: number, ticks: readonly PriceTick[]): Candle {
  const sorted = ticks.toSorted((a, b) => a.slotMs - b.slotMs);
  const first = sorted[0];
  const last = sorted.at(-1);
  const hour = `${formatSeries(series)} at ${new Date(startMs).toISOString()}`;
  if (!first || !last) throw new CandleError(`${hour}: there are no ticks.`);
  if (first.slotMs < startMs || last.slotMs >= startMs + HOUR_MS) {
    throw new CandleError(`${hour}: a tick is outside the hour.`);
  }
  let sum = 0;
  let high = first.price;
  let low = first.price;
  for (const { price } of sorted) {
    sum += price;
    high = Math.max(high, price);
    low = Math.min(low, price);
  }
  return {
    v: CANDLE_VERSION,
    ...candleSeriesOf(series),
    startMs,
    hours: 1,
    open: first.price,
    high,
    low,
    close: last.price,
    mean: sum / sorted.length,
    samples: sorted.length,
    path: sorted.map(({ slotMs, price }) => [slotMs - startMs, price]),
    source: 'ticks',
  };
}

/** The candle of recorded prices. */
export function candleFromHistory(
  series: CandleSeries,
  { startMs, open, high, low, close, volume, turnover, path }: RecordedPrices,
  hours: CandleHours,
): Candle {
  return {
    v: CANDLE_VERSION,
    ...candleSeriesOf(series),
    startMs,
    hours,
    open,
    high,
    low,
    close,
    mean: (open + high + low + close) / 4,
    ...(volume === undefined ? {} : { volume }),
    ...(turnover === undefined ? {} : { turnover }),
    samples: 0,
    path: path ?? candlePath({ open, high, low, close }, hours),
    source: 'backfill',
  };
}

/** The candidates for one hour. */
export interface CandleChoice {
  ticks?: Candle | undefined;
  backfill?: Candle | undefined;
  /** How many polls were due in the hour. */
  pollsDue: number;
}

/** A single price says nothing about an hour's range, however rarely the series is polled. */
const MIN_SAMPLES = 2;

/**
 * Whether there are enough ticks to prefer them to the exchange's own candle: at least two, and half of the
 * polls due.
 */
export function isWellSampled(samples: number, pollsDue: number): boolean {
  return samples >= Math.max(MIN_SAMPLES, pollsDue / 2);
}

/**
 * The candle to keep for an hour: the one from ticks if there are enough ticks or no backfilled candle, otherwise
 * the backfilled one. Either way its `samples` are the ticks seen, so comparing them with the ticks shows
 * whether the hour has to be summarised again.
 */
export function chooseCandle({ ticks, backfill, pollsDue }: CandleChoice): Candle | undefined {
  if (!ticks) return backfill && { ...backfill, samples: 0 };
  const chosen = !backfill || isWellSampled(ticks.samples, pollsDue) ? ticks : backfill;
  return { ...chosen, samples: ticks.samples, polls_due: pollsDue };
}

/**
 * The candle of all ticks in two candles of one hour; for a slot that both have, the tick of `newer` counts.
 */
export function withTicksOf(older: Candle, newer: Candle): Candle {
  const prices = new Map([...older.path, ...newer.path]);
  if (prices.size === newer.path.length) return newer;
  const ticks = [...prices].map(([offsetMs, price]) => ({ slotMs: newer.startMs + offsetMs, price }));
  return candleFromTicks(newer, newer.startMs, ticks);
}

/**
 * The candle with its log return, which it has only if the previous candle is of the same length and ends where this
 * one starts. Otherwise (a gap, a day before an hour, no previous candle) any earlier return is removed.
 */
export function withLogReturn<C extends Pick<Candle, 'startMs' | 'hours' | 'close' | 'log_return'>>(
  candle: C,
  previous: Pick<Candle, 'startMs' | 'hours' | 'close'> | undefined,
): C {
  const { log_return: _, ...rest } = candle;
  const isAdjacent = previous?.hours === candle.hours && candleEndMs(previous) === candle.startMs;
  // Without its optional field it is still a C.
  return (isAdjacent ? { ...rest, log_return: Math.log(candle.close / previous.close) } : rest) as C;
}
