import type { Candle, CandleSeries, PriceTick } from '../market/candle.ts';
import type { MoveDirection } from '../market/directional-change.ts';
import type { Category } from '../market/series.ts';
import type { Window } from '../market/window.ts';
import type { CandleTotals } from './totals.ts';

/** Which series take part; those of `archive` only where it is named, options only where `option` is. */
export interface Scope {
  exchange?: string | undefined;
  category?: Category | undefined;
}

/** What is stored of one series; windows are ascending and do not overlap. */
export interface SeriesStore {
  /** The candles that start in the window, by start. */
  candles(series: CandleSeries, window: Window): Promise<Candle[]>;
  /** What {@link SeriesStore.candles} would add up to, without reading them. */
  totals(series: CandleSeries, window: Window): Promise<CandleTotals | undefined>;
  /** Hours that the candles starting in the window cover, by the start of their UTC day (epoch ms). */
  hoursByDay(series: CandleSeries, window: Window): Promise<ReadonlyMap<number, number>>;
  /** What each of the candles that start in the window covers, by start. */
  covered(series: CandleSeries, window: Window): Promise<Window[]>;
  /** The starts (epoch ms) of the hours that have ticks in any of the windows, ascending. */
  tickHours(series: CandleSeries, windows: readonly Window[]): Promise<number[]>;
  /** The ticks that lie in any of the windows, by slot. */
  ticks(series: CandleSeries, windows: readonly Window[]): Promise<PriceTick[]>;
  /** From the first candle or tick to the end of the last; undefined where there is nothing. */
  span(series: CandleSeries): Promise<Window | undefined>;
}

/** A series of a currency, and how much of the currency was traded. */
export interface CurrencySeries extends CandleSeries {
  /** In units of the currency itself, over 24 h, so that markets of any quote compare; undefined where unknown. */
  turnover?: number;
}

/** Which series there are. Names are compared without regard to case. */
export interface SeriesCatalogue {
  withSymbol(symbol: string, scope: Scope): Promise<CandleSeries[]>;
  ofCurrency(currency: string, scope: Scope): Promise<CurrencySeries[]>;
  /** Every symbol and currency there is. */
  names(scope: Scope): Promise<string[]>;
}

/** What the candles of one series in a window add up to, as far as volatility asks. */
export interface SeriesTotals extends Pick<CandleTotals, 'hours' | 'low' | 'high' | 'returns'> {
  series: CandleSeries;
}

/** What is known of one series; times are epoch ms. */
export interface SeriesExtent {
  series: CandleSeries;
  /** Start of the first and of the last candle. */
  firstMs: number;
  lastMs: number;
  /** End of the last candle. */
  endMs: number;
  /** Hours that its candles cover. */
  hours: number;
}

/** One series in one hour, without the path. */
export type HourOfSeries = Pick<
  Candle,
  'exchange' | 'category' | 'symbol' | 'start' | 'hours' | 'low' | 'high' | 'close'
> & {
  log_return?: number;
};

/** What is stored of all series in scope. */
export interface MarketStore {
  /** Of every series with a candle that starts in the window. */
  totalsBySeries(scope: Scope, window: Window): Promise<SeriesTotals[]>;
  /** Of every series with a candle. */
  extents(scope: Scope): Promise<SeriesExtent[]>;
  /** The start of the last hour in the window that candles have seen ticks in (epoch ms). */
  lastSummarisedHour(scope: Scope, window: Window): Promise<number | undefined>;
  /** The candles that start in the window, and the daily ones that its start lies in. */
  hoursFromCandles(scope: Scope, window: Window): Promise<HourOfSeries[]>;
  /** The ticks that lie in the window, which is of whole hours, hour by hour. */
  hoursFromTicks(scope: Scope, window: Window): Promise<HourOfSeries[]>;
  /** Moves confirmed in the window, of these series, at the configured thresholds. */
  moveCounts(series: readonly CandleSeries[], window: Window): Promise<MoveCount[]>;
}

/** How many moves of a series were confirmed, as the index of moves has them (closed hours only). */
export interface MoveCount {
  /** `exchange:category:symbol` */
  series: string;
  threshold: number;
  direction: MoveDirection;
  count: number;
}

/** Percentiles of one series' 24 h change; values are fractions, in the order of the percents asked for. */
export interface ChangePercentiles {
  /** `exchange:category:symbol` */
  series: string;
  samples: number;
  values: number[];
}

/** The 24 h change that exchanges tell with each tick. */
export interface ChangeStore {
  /** Of every series in scope, or of one symbol. Series whose ticks carry no change are left out. */
  changePercentiles(
    which: Scope & { symbol?: string },
    window: Window,
    percents: readonly number[],
  ): Promise<ChangePercentiles[]>;
}

/** Everything the questions read. */
export interface InsightStore extends SeriesStore, SeriesCatalogue, MarketStore, ChangeStore {}
