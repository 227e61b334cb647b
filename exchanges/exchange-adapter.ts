import type * as z from 'zod';
import type { TickerBatch } from '../core/ingest/ports.ts';
import { SourceError, SourceRefusedError, WrongPayloadError } from '../core/ingest/source-errors.ts';
import type { Category } from '../core/market/series.ts';
import type { MarketFilter } from './market-filter.ts';

/** One HTTP GET. */
export interface ExchangeRequest {
  /** Path and query, joined to the base URL. */
  path: string;
  /** Where another host of the exchange serves it. @default the adapter's */
  baseUrl?: string;
  /** For how long the answer holds, also for later polls (lists of instruments). @default this poll only */
  keepMs?: number;
  /** The poll can do without it: it is asked once, not again. @default false */
  optional?: boolean;
}

/** An HTTP answer, before anybody looked into it. */
export interface ExchangeResponse {
  status: number;
  header(name: string): string | undefined;
  body: Uint8Array;
  /** The body's JSON; undefined where it is none. */
  json: unknown;
}

/** Which answer it is. */
export interface ResponseContext {
  url: string;
  nowMs: number;
}

/** A successful answer of the documented shape. */
export interface Answer<T> {
  value: T;
  url: string;
  /** ISO 8601 UTC with milliseconds. */
  receivedAt: string;
}

/**
 * Asks the exchange. Within one poll the same URL is asked once, whoever wants to know.
 * @throws SourceError where there is no answer, a failure, or another shape
 */
export type Ask = <T>(request: ExchangeRequest, shape: z.ZodType<T>) => Promise<Answer<T>>;

/** One category of one poll. */
export interface PollScope {
  exchange: string;
  category: Category;
  /** All that this poll asks for, this one among them. */
  categories: readonly Category[];
  /** ISO 8601 UTC with milliseconds. */
  slot: string;
  wants: MarketFilter;
}

/** How fast an exchange may be asked. */
export interface Pace {
  /** Requests under way at once. */
  concurrency: number;
  /** On average, after `burst` of them at once. @default no matter */
  perSecond?: { requests: number; burst: number };
}

/** Everything that is special about one exchange's API. Knows no network, no clock: it is given `ask`. */
export interface ExchangeAdapter {
  readonly defaultBaseUrl: string;
  readonly categories: readonly Category[];
  readonly pace: Pace;
  /** The failure that an answer's status, headers or API code stand for; undefined where it is a success. */
  failureOf(response: ExchangeResponse, context: ResponseContext): SourceError | undefined;
  /** Asks for what one category needs and sorts it into tickers and rejected ones. @throws what `ask` throws */
  tickers(ask: Ask, scope: PollScope): Promise<TickerBatch>;
}

/** For what makes tickers richer but is not needed: undefined, whatever went wrong. */
export async function ifAvailable<T>(answer: Promise<Answer<T>>): Promise<Answer<T> | undefined> {
  return answer.catch(unless(() => true));
}

/** For a way of asking that an API may not have: undefined where it says no, or something else. */
export async function ifOffered<T>(answer: Promise<Answer<T>>): Promise<Answer<T> | undefined> {
  return answer.catch(
    unless((error) => error instanceof SourceRefusedError || error instanceof WrongPayloadError),
  );
}

function unless(isAllowed: (error: SourceError) => boolean) {
  return (error: unknown): undefined => {
    if (!(error instanceof SourceError && isAllowed(error))) throw error;
  };
}
