import type { Category } from '../../domain/ticker.ts';
import type { SourceError } from './errors.ts';
import type { NormalisedBatch, Receipt } from './normalise.ts';

/** One HTTP GET of a poll and the categories that its answer holds. */
export interface ExchangeRequest {
  /** Path and query, joined to the source's base URL. */
  path: string;
  categories: Category[];
}

/** An HTTP answer, before anybody looked into it. */
export interface ExchangeResponse {
  status: number;
  header(name: string): string | undefined;
  body: Uint8Array;
  /** The body's JSON; undefined where it is none. */
  json: unknown;
}

/** What the client tells the adapter about one answer. */
export type ResponseContext = Omit<Receipt, 'timestamp'> & { nowMs: number };

/** Everything that is special about one exchange's API: pure functions, no network. */
export interface ExchangeAdapter {
  readonly defaultBaseUrl: string;
  readonly categories: readonly Category[];
  requests(categories: readonly Category[]): ExchangeRequest[];
  /** The failure that an answer's status, headers or API code stand for; undefined where it is a success. */
  failureOf(response: ExchangeResponse, context: ResponseContext): SourceError | undefined;
  /**
   * The decoded JSON → a batch for each of the request's categories.
   * @throws Error naming the first difference from the documented shape
   */
  read(json: unknown, request: ExchangeRequest, context: ResponseContext): Map<Category, NormalisedBatch>;
}
