import type { Candle, CandleSeries, PriceTick } from '../market/candle.ts';
import type { Move } from '../market/directional-change.ts';
import type { Market, Series } from '../market/series.ts';
import type { SeriesLedger } from './series-ledger.ts';

/** One series' ticks of one hour. */
export interface SeriesTicks {
  series: CandleSeries;
  ticks: PriceTick[];
}

/** How many ticks a series has in one hour. */
export interface HourCount {
  series: Series;
  /** Start of the hour, epoch ms. */
  hourMs: number;
  count: number;
}

/** Where ticks are read from. Times are epoch ms. */
export interface TickHours {
  /** Whether it keeps every tick forever: the lake does, the index deletes old ones. */
  readonly hasAllTicks: boolean;
  /** The time of the first tick in [fromMs, toMs), if there is one. */
  firstTickIn(fromMs: number, toMs: number): Promise<number | undefined>;
  /** The markets that may have ticks in the hour that starts at `hourMs`; with how many, if that is known. */
  marketsOf(hourMs: number): Promise<MarketTicks[]>;
  /** The ticks of every series of a market in the hour that starts at `hourMs`. */
  ticksOf(hourMs: number, market: MarketTicks): Promise<SeriesTicks[]>;
}

export interface MarketTicks extends Market {
  ticks?: number;
}

/** Counts that show whether candles still match the ticks, of hours that start in [fromMs, toMs), epoch ms. */
export interface SampleCounts {
  /** The ticks of all series by the start of the hour, ascending; hours without any are left out. */
  tickTotals(fromMs: number, toMs: number): Promise<Map<number, number>>;
  /** Those of each series, page by page. */
  tickCounts(fromMs: number, toMs: number): AsyncIterable<HourCount[]>;
  /** The `samples` of the hourly candles. */
  candleSamples(fromMs: number, toMs: number): AsyncIterable<HourCount[]>;
  /** The daily candles of these hours' days; `hourMs` is the start of the day. */
  dailyCandles(fromMs: number, toMs: number): AsyncIterable<HourCount[]>;
}

/** Candles that start in [fromMs, toMs), epoch ms; without an end, the range is open there. */
export interface CandleRange {
  fromMs?: number | undefined;
  toMs?: number | undefined;
  /** @default all of them */
  limit?: number;
}

/** The stored candles. */
export interface CandleStore {
  /**
   * The hourly candles of the hour, the one before and the one after, and the daily ones of those days, of every series of
   * a market.
   */
  candlesAround(hourMs: number, market: Market): Promise<Candle[]>;
  /** One series' candles in time order. */
  candlesOf(series: Series, range: CandleRange): Promise<Candle[]>;
  /** The names (`formatSeries`) of those that have any. */
  withCandles(series: readonly Series[]): Promise<Set<string>>;
  writeCandles(put: readonly Candle[], remove: readonly Candle[]): Promise<void>;
}

/** The stored moves. */
export interface MoveStore {
  /** The ids of a series' moves confirmed in the range. */
  moveIds(series: Series, range: Pick<CandleRange, 'fromMs' | 'toMs'>): Promise<string[]>;
  writeMoves(put: readonly Move[], removeIds: readonly string[]): Promise<void>;
}

/** What the move detectors remember about each series. */
export interface LedgerStore {
  /** By `formatSeries`; series that were never seen are left out. */
  ledgers(series: readonly Series[]): Promise<Map<string, SeriesLedger>>;
  /** Some of the series whose moves have to be made again. */
  staleLedgers(limit: number): Promise<SeriesLedger[]>;
  countStale(): Promise<number>;
  /** Every series, page by page. */
  allLedgers(): AsyncIterable<SeriesLedger[]>;
  /** The same without the detectors' states. */
  walkedThresholds(): AsyncIterable<(Series & Pick<SeriesLedger, 'thresholds'>)[]>;
  writeLedgers(ledgers: readonly SeriesLedger[]): Promise<void>;
}

/** How far summarising has come. */
export interface SummaryProgress {
  /** Every hour that ends at or before this is summarised; epoch ms. Undefined before the first. */
  summarisedUntil(): Promise<number | undefined>;
  /** @param matched see {@link matchedTicks}. @default as before */
  setSummarisedUntil(ms: number, matched?: ReadonlyMap<number, number>): Promise<void>;
  /** The hour that is only summarised in part, if there is one. */
  unfinishedHour(): Promise<UnfinishedHour | undefined>;
  /** Until {@link setSummarisedUntil} is called. */
  setUnfinishedHour(hour: UnfinishedHour): Promise<void>;
  /** How many ticks hours had, over all series, when their candles had seen all of them; by their starts in epoch ms. */
  matchedTicks(): Promise<Map<number, number>>;
}

/** How far a run got within an hour. */
export interface UnfinishedHour {
  /** Its start, epoch ms. */
  hourMs: number;
  /** How many ticks it had, over all series, before the first of them was read. */
  ticks: number;
  /** The markets that are done, by `formatMarket`. */
  done: readonly string[];
}

/** How far the search for unsummarised ticks has come in a month that is to be deleted. */
export interface RetentionProgress {
  /** `YYYY.MM` */
  month: string;
  /** The hours before this are checked; epoch ms. */
  untilMs: number;
}

export interface RetentionStore {
  retentionProgress(): Promise<RetentionProgress | undefined>;
  setRetentionProgress(progress: RetentionProgress): Promise<void>;
}

/** Hours with ticks that were indexed long after their slots, by their starts in epoch ms. */
export interface LateHours {
  /** Those recorded and not yet marked as done. A read of ticks that starts later finds their ticks. */
  lateHours(): Promise<number[]>;
  /** @param left those not done yet; others that are recorded meanwhile stay recorded */
  setLateHours(left: readonly number[]): Promise<void>;
}

/**
 * All of them. A read finds everything written before. A write throws if it could not be completed, and can be
 * repeated safely.
 */
export interface SummaryStore
  extends CandleStore,
    MoveStore,
    LedgerStore,
    SummaryProgress,
    RetentionStore,
    LateHours {}

/** Ticks by month, to be deleted by month. */
export interface TickMonths {
  /** Months with ticks: `YYYY.MM`, ascending. */
  months(): Promise<string[]>;
  deleteMonth(month: string): Promise<void>;
}
