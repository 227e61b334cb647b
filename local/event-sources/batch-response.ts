import type { MSKRecord } from 'aws-lambda';
import { z } from 'zod';
import { partitionKey } from './batch.ts';

/** What a function's answer says about its records. */
export type BatchResult =
  | { readonly kind: 'succeeded' }
  /** `done` is empty if the function failed on the first record of every partition. */
  | { readonly kind: 'partlyFailed'; readonly done: MSKRecord[]; readonly remaining: MSKRecord[] }
  /** The answer is invalid, so the whole batch counts as failed. */
  | { readonly kind: 'unreadable'; readonly reason: string };

const batchResponse = z
  .object({
    batchItemFailures: z
      .array(
        z.object({
          itemIdentifier: z.object({ partition: z.string().min(1), offset: z.int().nonnegative() }),
        }),
      )
      .nullish(),
  })
  .nullish();

/**
 * Reads the answer of a function whose mapping has `ReportBatchItemFailures` enabled:
 * `{"batchItemFailures":[{"itemIdentifier":{"partition":"topic-0","offset":100}}]}`.
 *
 * In each partition, the records before the lowest reported offset are done and the rest must be tried again. No answer,
 * no list or an empty list mean success. Any other answer, or an offset that was not in the batch, means that the whole
 * batch failed.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 */
export function readBatchResponse(response: unknown, records: readonly MSKRecord[]): BatchResult {
  const parsed = batchResponse.safeParse(response);
  if (!parsed.success) {
    return {
      kind: 'unreadable',
      reason: `the batch response is malformed: ${z.prettifyError(parsed.error)}`,
    };
  }
  const failures = parsed.data?.batchItemFailures ?? [];
  if (failures.length === 0) return { kind: 'succeeded' };

  const known = new Set(records.map((record) => `${partitionKey(record)}@${record.offset}`));
  const failedFrom = new Map<string, number>();
  for (const { itemIdentifier } of failures) {
    const { partition, offset } = itemIdentifier;
    if (!known.has(`${partition}@${offset}`)) {
      return {
        kind: 'unreadable',
        reason: `the batch response names partition "${partition}" offset ${offset}, which is not in the batch`,
      };
    }
    failedFrom.set(partition, Math.min(failedFrom.get(partition) ?? offset, offset));
  }

  const done: MSKRecord[] = [];
  const remaining: MSKRecord[] = [];
  for (const record of records) {
    const isDone = record.offset < (failedFrom.get(partitionKey(record)) ?? Number.POSITIVE_INFINITY);
    (isDone ? done : remaining).push(record);
  }
  return { kind: 'partlyFailed', done, remaining };
}
