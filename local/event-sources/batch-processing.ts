import type { MSKRecord } from 'aws-lambda';
import { bisect } from './batch.ts';
import { readBatchResponse } from './batch-response.ts';

/** Pauses that double up to a maximum. */
export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
}

export interface RetryPolicy {
  /** `ReportBatchItemFailures`: the function's answer lists the failed records. */
  readonly partialBatchResponse: boolean;
  /** Splits a failed batch in two halves, tried one after the other, down to one record. */
  readonly bisectOnError: boolean;
  /** Attempts after the first one; -1: no limit. A split does not count. */
  readonly maximumRetryAttempts: number;
  /** Older records are discarded instead of tried (again). @default no limit */
  readonly maximumRecordAgeMs?: number | undefined;
  readonly backoff: Backoff;
}

/** Why records were given up. */
export interface Discard {
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded' | 'MaximumPayloadSizeExceeded';
  readonly invokeCount: number;
  /** From the last invocation; undefined if the function reported the failure or was never called. */
  readonly error?: unknown;
}

/** A failed attempt, and what happens next. */
export interface Retry {
  readonly records: number;
  /** 1 for the first attempt that failed on these records. */
  readonly attempt: number;
  readonly error: unknown;
  readonly next: 'again' | 'split' | 'discard';
  readonly delayMs: number;
}

/** What processing a batch needs from outside: the function, the clock, and where the records end up. */
export interface BatchHandling {
  /** Calls the function. */
  invoke(records: readonly MSKRecord[]): Promise<unknown>;
  /** The records are handled, so their offsets may be committed. Called in each partition's order. */
  done(records: readonly MSKRecord[]): Promise<void>;
  /** Gives records up; afterwards their offsets may be committed. */
  discard(records: readonly MSKRecord[], discard: Discard): Promise<void>;
  onRetry(retry: Retry): void;
  /** False once we have lost the batch (rebalance, stop): none of it is tried again. */
  isAssigned(): boolean;
  now(): number;
  /** Returns early when we lose the batch. */
  sleep(delayMs: number): Promise<void>;
}

interface Piece {
  readonly records: readonly MSKRecord[];
  readonly failures: number;
}

/** The handler returned normally but reported failed records. */
export class BatchItemFailuresError extends Error {
  override readonly name = 'BatchItemFailuresError';
}

/**
 * Invokes, retries, splits and discards, in the order of each partition, until every record is done or discarded, or we
 * lose the batch. One invocation at a time.
 */
export async function processBatch(
  batch: readonly MSKRecord[],
  policy: RetryPolicy,
  handling: BatchHandling,
): Promise<void> {
  const pieces: Piece[] = [{ records: batch, failures: 0 }];
  for (let piece = pieces.pop(); piece && handling.isAssigned(); piece = pieces.pop()) {
    const records = await discardExpired(piece, policy, handling);
    if (records.length === 0) continue;

    const attempt = await tryRecords(records, policy, handling);
    if (attempt.done.length > 0) await handling.done(attempt.done);
    const { remaining, error } = attempt;
    if (remaining.length === 0) continue;

    // After progress, the rest counts as a new batch. With bisecting this cut counts as a split, which takes no
    // attempt, unless a single record is left: it has failed by itself.
    const progressed = attempt.done.length > 0;
    const isFreeCut = progressed && policy.bisectOnError && remaining.length > 1;
    const failures = progressed ? 1 : piece.failures + 1;
    if (!progressed && policy.bisectOnError && remaining.length > 1) {
      handling.onRetry({ records: remaining.length, attempt: failures, error, next: 'split', delayMs: 0 });
      const [first, second] = bisect(remaining);
      pieces.push({ records: second, failures: 0 }, { records: first, failures: 0 });
    } else if (!isFreeCut && policy.maximumRetryAttempts >= 0 && failures > policy.maximumRetryAttempts) {
      handling.onRetry({ records: remaining.length, attempt: failures, error, next: 'discard', delayMs: 0 });
      await handling.discard(remaining, {
        condition: 'RetryAttemptsExhausted',
        invokeCount: failures,
        ...(error instanceof BatchItemFailuresError ? {} : { error }),
      });
    } else {
      const delayMs = backoffMs(failures, policy.backoff);
      handling.onRetry({ records: remaining.length, attempt: failures, error, next: 'again', delayMs });
      await handling.sleep(delayMs);
      pieces.push({ records: remaining, failures: isFreeCut ? 0 : failures });
    }
  }
}

/** The pause after the n-th failure in a row (n ≥ 1). */
export function backoffMs(failures: number, { initialMs, maxMs }: Backoff): number {
  return Math.min(maxMs, initialMs * 2 ** Math.min(failures - 1, 30));
}

/** Discards the records that are too old and returns the others. */
async function discardExpired(
  piece: Piece,
  { maximumRecordAgeMs }: RetryPolicy,
  handling: BatchHandling,
): Promise<readonly MSKRecord[]> {
  if (maximumRecordAgeMs === undefined) return piece.records;
  const oldestMs = handling.now() - maximumRecordAgeMs;
  // Timestamps may decrease within a partition, but an offset can only move past settled records, so only the old
  // records at the head of each partition are discarded.
  const alive = new Set<number>();
  const expired: MSKRecord[] = [];
  const kept: MSKRecord[] = [];
  for (const record of piece.records) {
    if (record.timestamp < oldestMs && !alive.has(record.partition)) {
      expired.push(record);
    } else {
      alive.add(record.partition);
      kept.push(record);
    }
  }
  if (expired.length > 0) {
    await handling.discard(expired, { condition: 'RecordAgeExceeded', invokeCount: piece.failures });
  }
  return kept;
}

async function tryRecords(
  records: readonly MSKRecord[],
  policy: RetryPolicy,
  handling: BatchHandling,
): Promise<{ done: readonly MSKRecord[]; remaining: readonly MSKRecord[]; error?: unknown }> {
  let response: unknown;
  try {
    response = await handling.invoke(records);
  } catch (error) {
    return { done: [], remaining: records, error };
  }
  if (!policy.partialBatchResponse) return { done: records, remaining: [] };

  const result = readBatchResponse(response, records);
  switch (result.kind) {
    case 'succeeded':
      return { done: records, remaining: [] };
    case 'partlyFailed': {
      const { done, remaining } = result;
      const error = new BatchItemFailuresError(
        `the function reported failures: ${remaining.length} of ${records.length} records remain`,
      );
      return { done, remaining, error };
    }
    case 'unreadable':
      return { done: [], remaining: records, error: new BatchItemFailuresError(result.reason) };
  }
}
