import { type CandlePrices, candlePath, type PathPoint } from './price-path.ts';
import { formatSeries, type Series } from './series.ts';
import type { Ticker } from './ticker.ts';
import { HOUR_MS } from './time.ts';

/** The version of the candle record's shape; a change that readers would notice raises it. */
export const CANDLE_VERSION = 1;

/** What a candle covers, in hours: an hour, or a whole UTC day where only daily history exists. */
export type CandleHours = 1 | 24;

/** What says which series a candle is of, and in which currencies it is counted. */
export interface CandleSeries extends Series, Pick<Ticker, 'base' | 'quote'> {}

/** One series in one hour (or day). Prices are in the quote currency; absent values are left out. */
export interface Candle extends CandleSeries, CandlePrices {
  v: typeof CANDLE_VERSION;
  /** Start of the hour or day, ISO 8601 UTC with milliseconds. */
  start: string;
  hours: CandleHours;
  open: number;
  high: number;
  low: number;
  close: number;
  /** Of the samples, each counting once; backfilled: (open + high + low + close) / 4. */
  mean: number;
  /** Ticks seen in the hour, also if the candle is backfilled. */
  samples: number;
  /**
   * Polls due in the hour, by the sampling interval configured when its ticks were first summarised. Absent if the
   * hour has no ticks, and from candles older than this field.
   */
  polls_due?: number;
  /** ln(close / close of the candle of the same length just before), where there is that candle. */
  log_return?: number;
  /** The prices in time order, each with its offset from `start`. */
  path: PathPoint[];
  source: 'ticks' | 'backfill';
}

/** One tick of an hour: the slot that it was polled in (epoch ms) and its last price. */
export interface PriceTick {
  readonly slotMs: number;
  readonly price: number;
}

/** The prices that an exchange or a file recorded of one hour or day, which starts at `startMs` (epoch ms). */
export interface RecordedPrices extends CandlePrices {
  readonly startMs: number;
}

/** A candle cannot be made of what was given; the message names the series and the hour. */
export class CandleError extends Error {
  override readonly name = 'CandleError';
}

/** `exchange:category:symbol:hours:start in epoch ms`: made again, a candle replaces itself. */
export function candleId(candle: Series & Pick<Candle, 'hours' | 'start'>): string {
  return `${formatSeries(candle)}:${candle.hours}:${Date.parse(candle.start)}`;
}

/** The end of a candle, which no longer belongs to it, in epoch ms. */
export function candleEndMs({ start, hours }: Pick<Candle, 'start' | 'hours'>): number {
  return Date.parse(start) + hours * HOUR_MS;
}

/**
 * The candle of one hour from the ticks seen in it, in any order. A tick's time is its slot.
 * @param startMs start of the hour, epoch ms
 * @throws CandleError where there is no tick, or one lies outside the hour
 */
export function candleFromTicks(series: CandleSeries, startMs: number, ticks: readonly PriceTick[]): Candle {
  const sorted = ticks.toSorted((a, b) => a.slotMs - b.slotMs);
  const first = sorted[0];
  const last = sorted.at(-1);
  const hour = `${formatSeries(series)} at ${new Date(startMs).toISOString()}`;
  if (!first || !last) throw new CandleError(`${hour}: there is no tick to make a candle of.`);
  if (first.slotMs < startMs || last.slotMs >= startMs + HOUR_MS) {
    throw new CandleError(`${hour}: a tick lies outside the hour.`);
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
    ...head(series, startMs, 1),
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

/** The candle that stands for recorded prices until enough ticks are seen; its path follows `candlePath`. */
export function candleFromHistory(
  series: CandleSeries,
  { startMs, open, high, low, close }: RecordedPrices,
  hours: CandleHours,
): Candle {
  return {
    ...head(series, startMs, hours),
    open,
    high,
    low,
    close,
    mean: (open + high + low + close) / 4,
    samples: 0,
    path: candlePath({ open, high, low, close }, hours),
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

/**
 * The candle to keep for an hour: the ticks' if they cover at least half of the polls due or there is no other, else
 * the backfilled one. Either way its `samples` are the ticks seen, so comparing them with the ticks shows whether the
 * hour has to be summarised again.
 */
export function chooseCandle({ ticks, backfill, pollsDue }: CandleChoice): Candle | undefined {
  if (!ticks) return backfill && { ...backfill, samples: 0 };
  const chosen = !backfill || ticks.samples >= pollsDue / 2 ? ticks : backfill;
  return { ...chosen, samples: ticks.samples, polls_due: pollsDue };
}

/**
 * The candle with its log return to the one just before it: of the same length, and ending where this one starts.
 * With any other (a gap between them, a day before an hour) or none, a return that it had is taken away.
 */
export function withLogReturn<C extends Pick<Candle, 'start' | 'hours' | 'close' | 'log_return'>>(
  candle: C,
  previous: Pick<Candle, 'start' | 'hours' | 'close'> | undefined,
): C {
  const { log_return: _, ...rest } = candle;
  const isAdjacent = previous?.hours === candle.hours && candleEndMs(previous) === Date.parse(candle.start);
  // Both are the candle but for the one field that its type leaves optional.
  return (isAdjacent ? { ...rest, log_return: Math.log(candle.close / previous.close) } : rest) as C;
}

function head(
  { exchange, category, symbol, base, quote }: CandleSeries,
  startMs: number,
  hours: CandleHours,
) {
  return {
    v: CANDLE_VERSION,
    exchange,
    category,
    symbol,
    ...(base === undefined ? {} : { base }),
    ...(quote === undefined ? {} : { quote }),
    start: new Date(startMs).toISOString(),
    hours,
  } as const;
}
