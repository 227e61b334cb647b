import type * as z from 'zod';
import type { TickerBatch } from '../core/ingest/ports.ts';
import type { CandleFormat } from '../core/lake/candle-objects.ts';
import type { RecordedPrices } from '../core/market/candle.ts';
import type { Category, CurrencyPair, Series } from '../core/market/series.ts';
import type { CandleRange } from '../core/operate/ports.ts';
import type { Ask, ExchangeRequest } from './http/ask.ts';
import type { FailureRules } from './http/failures.ts';
import type { MarketFilter } from './payload/market-filter.ts';

/** How fast an exchange may be polled. */
export interface Pace {
  /** Requests in flight at once. */
  concurrency: number;
  /** Average rate after a `burst`. @default unlimited */
  perSecond?: { requests: number; burst: number };
}

/** One category of one poll. */
export interface PollScope {
  exchange: string;
  category: Category;
  /** All categories of this poll, including this one. */
  categories: readonly Category[];
  /** ISO 8601 UTC with milliseconds. */
  slot: string;
  wants: MarketFilter;
  /** The most tickers that one answer may have. @default MAX_TICKERS */
  maxTickers?: number | undefined;
}

/** An API that answers with current tickers. */
export interface TickerApi {
  /** The value of `api` in a source's configuration. */
  readonly name: string;
  readonly categories: readonly Category[];
  /** What a source polls unless its configuration says otherwise. @default all categories */
  readonly defaultCategories?: readonly Category[];
  /** Fetches one category. @throws what `ask` throws */
  tickers(ask: Ask, scope: PollScope): Promise<TickerBatch>;
}

/** A candle as the exchange reports it. */
export interface ExchangeCandle extends RecordedPrices {
  /** The exchange says that this hour is not over. @default closed */
  readonly isOpen?: boolean;
}

/** An API that answers with hourly candles. */
export interface CandleApi {
  /** Names the shape of the answers, which are kept in the lake. */
  readonly format: CandleFormat;
  readonly categories: readonly Category[];
  /** Most hours in one request. */
  readonly pageHours: number;
  /** How many of its latest candles the exchange serves. @default its whole history */
  readonly keptCandles?: number;
  /** @param range of {@link pageHours} hours at most */
  request(range: CandleRange): ExchangeRequest;
  /** Reads an answer for one symbol into candles in time order. */
  shapeOf(symbol: string): z.ZodType<ExchangeCandle[]>;
  /** Looks up base and quote. @default {@link Exchange.pairOf} */
  pairOf?(market: Omit<Series, 'exchange'>, ask: Ask): Promise<CurrencyPair>;
}

/** Everything we know about one exchange. It does no I/O and reads no clock: `ask` is passed in. */
export interface Exchange extends FailureRules {
  /** The value of `exchange` in its records. */
  readonly name: string;
  readonly baseUrl: string;
  /** Beginnings of the names of AWS regions whose addresses it refuses. @default none that we know of */
  readonly refusedRegions?: readonly string[];
  readonly pace: Pace;
  /** The first is polled by the source named like the exchange. */
  readonly tickerApis: readonly [TickerApi, ...TickerApi[]];
  readonly candles?: CandleApi;
  /** Splits a symbol by its spelling alone, if that is possible. */
  pairOf(symbol: string, category: Category): CurrencyPair;
}
