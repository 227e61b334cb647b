import type { Absence } from '../completeness/absence.ts';
import type { Listing } from '../ingest/listings.ts';
import type { Candle, CandleSeries, PathlessCandle, PriceTick } from '../market/candle.ts';
import type { MoveDirection } from '../market/directional-change.ts';
import type { Category, Market, Series } from '../market/series.ts';
import type { Trade } from '../market/turnover.ts';
import type { Window } from '../market/window.ts';
import type { Returns } from './returns.ts';

/** Which series a question covers: `archive` only if named, and options only if the category is `option`. */
export interface Scope {
  exchange?: string | undefined;
  category?: Category | undefined;
}

/** The prices of one series. Several windows are ascending and do not overlap. */
export interface SeriesPrices {
  /** The candles that start in the window, by start. */
  candles(series: CandleSeries, window: Window): Promise<Candle[]>;
  /** The same without their paths. */
  pathlessCandles(series: CandleSeries, window: Window): Promise<PathlessCandle[]>;
  /** The last candle that starts before a time (epoch ms). */
  candleBefore(series: CandleSeries, timeMs: number): Promise<PathlessCandle | undefined>;
  /** The ticks in any of the windows, by slot. */
  ticks(series: CandleSeries, windows: readonly Window[]): Promise<PriceTick[]>;
}

/** What is known about one series as a whole. */
export interface SeriesFacts {
  /** From the first candle or tick to the end of the last; undefined if there is none. */
  span(series: CandleSeries): Promise<Window | undefined>;
  /** The quote currency of its newest candle or tick that has one. */
  quote(series: CandleSeries): Promise<string | undefined>;
  /** Why it has no data at times. @default answers do not say why */
  absence?(series: CandleSeries): Promise<Absence>;
}

export interface SeriesStore extends SeriesPrices, SeriesFacts {}

/** A series of a currency, and how much of the currency was traded. */
export interface CurrencySeries extends CandleSeries {
  /**
   * In units of the currency over 24 h, so that markets with different quotes compare even where no path leads to
   * dollars; undefined if unknown.
   */
  turnover?: number;
}

/** Which series exist. Names are compared without regard to case. */
export interface SeriesCatalogue {
  withSymbol(symbol: string, scope: Scope): Promise<CandleSeries[]>;
  ofCurrency(currency: string, scope: Scope): Promise<CurrencySeries[]>;
  /** Every symbol and currency. */
  names(scope: Scope): Promise<string[]>;
}

/** What one series' candles add up to: enough for its volatility. */
export interface SeriesTotals {
  series: CandleSeries;
  /** Hours covered; a daily candle covers 24. */
  hours: number;
  low: number;
  high: number;
  /** Start of its last candle in the window, epoch ms. */
  lastMs: number;
  returns: Returns;
}

/** Where one series' candles begin and end; times are epoch ms. */
export interface SeriesExtent {
  series: CandleSeries;
  /** Starts of the first and the last candle. */
  firstMs: number;
  lastMs: number;
  /** End of the last candle. */
  endMs: number;
  /** Hours that its candles cover. */
  hours: number;
}

/** One series in one hour, without the path. */
export type HourOfSeries = Series &
  Pick<Candle, 'startMs' | 'hours' | 'low' | 'high' | 'close'> & { log_return?: number };

/** The hours of all series in scope, to find those that are not summarised yet. */
export interface MarketHours {
  /** The start of the window's last hour with a candle made from ticks (epoch ms). */
  lastSummarisedHour(scope: Scope, window: Window): Promise<number | undefined>;
  /** The candles that start in the window, and the daily ones that reach into it. */
  hoursFromCandles(scope: Scope, window: Window): Promise<HourOfSeries[]>;
  /** The ticks in the window, which consists of whole hours, hour by hour. */
  hoursFromTicks(scope: Scope, window: Window): Promise<HourOfSeries[]>;
}

export interface MarketExtents {
  /** Every series in scope with a candle that starts in the window. @param window default: all time */
  extents(scope: Scope, window?: Window): Promise<SeriesExtent[]>;
}

export interface MarketTotals {
  /** Every series in scope with a candle that starts in the window. */
  totalsBySeries(scope: Scope, window: Window): Promise<SeriesTotals[]>;
}

/** How many moves of a series were confirmed, according to the `moves` index (closed hours only). */
export interface MoveCount {
  /** `exchange:category:symbol` */
  series: string;
  threshold: number;
  direction: MoveDirection;
  count: number;
}

export interface MoveCounts {
  /** Moves of these series confirmed in the window, at the configured thresholds. */
  moveCounts(series: readonly CandleSeries[], window: Window): Promise<MoveCount[]>;
}

/** What was traded of all series but options. */
export interface MarketTurnovers {
  /** According to the newest tick of each before the window's end, from the hour of the newest of all. */
  tickTrades(window: Window): Promise<Trade[]>;
  /** According to the candles that start in the window, by their start. */
  candleTrades(window: Window): Promise<Trade[][]>;
}

export interface MarketStore extends MarketHours, MarketExtents, MarketTotals, MarketTurnovers, MoveCounts {}

/** The percentiles of one series' 24 h change. */
export interface ChangePercentiles {
  /** `exchange:category:symbol` */
  series: string;
  /** Ticks that reported a 24 h change. */
  samples: number;
  /** Slot of the last of them, epoch ms. */
  lastMs: number;
  /** By percent, `"99"`: fractions, 0.0068 is 0.68 %. */
  percentiles: Record<string, number>;
}

/** The 24 h change that exchanges report with each tick. */
export interface ChangeStore {
  /** For every series in scope, or for one symbol. Series whose ticks report no change are left out. */
  changePercentiles(
    which: Scope & { symbol?: string },
    window: Window,
    percents: readonly number[],
  ): Promise<ChangePercentiles[]>;
}

/** Which markets came and went, as the polls noticed it. */
export interface MarketListings {
  /** In time order. */
  listings(scope: Scope): Promise<Listing[]>;
}

/** What polls noticed about a market. */
export interface MarketNotes {
  /** The hours in which the exchange gave no prices, by their starts in epoch ms. */
  exchangeDown(market: Market): Promise<ReadonlySet<number>>;
}

/** Everything that questions read. */
export interface InsightStores {
  /** @default nobody noticed anything */
  listings?: MarketListings;
  series: SeriesStore;
  catalogue: SeriesCatalogue;
  market: MarketStore;
  changes: ChangeStore;
}
