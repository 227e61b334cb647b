import type { MSKRecord } from 'aws-lambda';
import { bisect } from './batch.ts';
import { readBatchResponse } from './batch-response.ts';

/** Waits that double from the first to the last. */
export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
}

export interface RetryPolicy {
  /** `ReportBatchItemFailures`: the function's answer says which records failed. */
  readonly partialBatchResponse: boolean;
  /** A batch that failed is split in two halves, tried one after the other, down to one record. */
  readonly bisectOnError: boolean;
  /** Attempts after the first one; -1: until it works. A split takes none of them. */
  readonly maximumRetryAttempts: number;
  /** Records older than this are discarded instead of tried (again). Absent: never. */
  readonly maximumRecordAgeMs?: number | undefined;
  readonly backoff: Backoff;
}

/** Why the mapping gave records up. */
export interface Discard {
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded' | 'MaximumPayloadSizeExceeded';
  readonly invokeCount: number;
  /** Of the last invocation; undefined if the function reported the failure, or was never called. */
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

/** The world around a batch: the function, the clock, and where the records go in the end. */
export interface BatchHandling {
  /** Calls the function. */
  invoke(records: readonly MSKRecord[]): Promise<unknown>;
  /** The records are handled: their offsets may be committed. Called in each partition's order. */
  done(records: readonly MSKRecord[]): Promise<void>;
  /** The records are given up; the offsets move on once this is fulfilled. */
  discard(records: readonly MSKRecord[], discard: Discard): Promise<void>;
  onRetry(retry: Retry): void;
  /** False when the batch is no longer ours (rebalance, stop): nothing of it is tried again. */
  isOurs(): boolean;
  now(): number;
  /** Returns early when the batch ceases to be ours. */
  sleep(delayMs: number): Promise<void>;
}

interface Piece {
  readonly records: readonly MSKRecord[];
  readonly failures: number;
}

/** The handler returned normally and said that some of its records failed. */
export class BatchItemFailuresError extends Error {
  override readonly name = 'BatchItemFailuresError';
}

/**
 * Sees a batch through: invokes, retries, splits, discards, in the order of each partition, until every
 * record is done or discarded, or the batch is no longer ours. One invocation at a time.
 */
export async function processBatch(
  batch: readonly MSKRecord[],
  policy: RetryPolicy,
  handling: BatchHandling,
): Promise<void> {
  const pieces: Piece[] = [{ records: batch, failures: 0 }];
  for (let piece = pieces.pop(); piece && handling.isOurs(); piece = pieces.pop()) {
    const records = await discardExpired(piece, policy, handling);
    if (records.length === 0) continue;

    const attempt = await tryRecords(records, policy, handling);
    if (attempt.done.length > 0) await handling.done(attempt.done);
    const { remaining, error } = attempt;
    if (remaining.length === 0) continue;

    // What is left after progress is a new batch from a new checkpoint. With bisecting the cut is a split,
    // which takes no attempt, unless it leaves a single record: that one has failed by itself.
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

/** The wait after the n-th failure in a row (n ≥ 1). */
export function backoffMs(failures: number, { initialMs, maxMs }: Backoff): number {
  return Math.min(maxMs, initialMs * 2 ** Math.min(failures - 1, 30));
}

/** Gives up the records that are too old; returns the others. */
async function discardExpired(
  piece: Piece,
  { maximumRecordAgeMs }: RetryPolicy,
  handling: BatchHandling,
): Promise<readonly MSKRecord[]> {
  if (maximumRecordAgeMs === undefined) return piece.records;
  const oldestMs = handling.now() - maximumRecordAgeMs;
  // Timestamps are the producers' own and need not rise within a partition, but an offset can only move past
  // records that are settled: only the run of old ones at the head of each partition is given up.
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
        `the function reported failures: ${remaining.length} of ${records.length} records are left to try`,
      );
      return { done, remaining, error };
    }
    case 'unreadable':
      return { done: [], remaining: records, error: new BatchItemFailuresError(result.reason) };
  }
}
