import type * as z from 'zod';
import { SourceError, type WrongPayloadError } from '../../core/ingest/source-errors.ts';
import { HOUR_MS } from '../../core/market/time.ts';

/** One HTTP GET. */
export interface ExchangeRequest {
  /** Path and query, appended to the base URL. */
  path: string;
  /** Another host of the same exchange. @default the exchange's */
  baseUrl?: string;
  /**
   * How long later polls may reuse the answer, e.g. a list of instruments. If it is unavailable afterwards,
   * the last good one is used. @default this poll only
   */
  keepMs?: number;
  /** The poll can do without the answer, so retries take only half of its time. @default false */
  optional?: boolean;
}

/** A successful answer of the documented shape. */
export interface Answer<T> {
  value: T;
  url: string;
  /** ISO 8601 UTC with milliseconds. */
  receivedAt: string;
}

/**
 * Sends a request. Within a poll, each URL is requested once however often it is asked for.
 * @throws SourceError on a failure or an answer of another shape
 */
export type Ask = <T>(request: ExchangeRequest, shape: z.ZodType<T>) => Promise<Answer<T>>;

/** For an answer that the poll can do without: undefined on failures, or only on those of the given classes. */
export async function ifAvailable<T>(
  answer: Promise<Answer<T>>,
  ...failures: (typeof SourceError | typeof WrongPayloadError)[]
): Promise<Answer<T> | undefined> {
  const ignored = failures.length > 0 ? failures : [SourceError];
  return answer.catch((error) => {
    if (!ignored.some((failure) => error instanceof failure)) throw error;
    return undefined;
  });
}

/** For one of several answers: its failure does not affect the others. */
export async function settled<T>(answer: Promise<Answer<T>>): Promise<Answer<T> | SourceError> {
  return answer.catch((error) => {
    if (error instanceof SourceError) return error;
    throw error;
  });
}

/** How long lists of instruments are kept: a new market is known within the hour. */
const INSTRUMENTS_KEPT_MS = HOUR_MS;

/** A list of instruments, or the last good one. A poll can do without it; undefined if there never was one. */
export async function instrumentsOf<T>(
  ask: Ask,
  request: Pick<ExchangeRequest, 'path' | 'baseUrl'>,
  shape: z.ZodType<T>,
): Promise<T | undefined> {
  const answer = await ifAvailable(ask({ ...request, keepMs: INSTRUMENTS_KEPT_MS, optional: true }, shape));
  return answer?.value;
}
