import type * as z from 'zod';
import { SourceError, type WrongPayloadError } from '../../core/ingest/source-errors.ts';

/** One HTTP GET. */
export interface ExchangeRequest {
  /** Path and query, appended to the base URL. */
  path: string;
  /** Another host of the same exchange. @default the exchange's */
  baseUrl?: string;
  /**
   * How long later polls may reuse the answer, e.g. a list of instruments. If it cannot be had again afterwards, the last
   * good one is used. @default this poll only
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
