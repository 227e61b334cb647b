import type { Context, MSKEvent } from 'aws-lambda';
import * as z from 'zod';
import { batchMetrics } from '../../core/index/batch-metrics.ts';
import { IndexingIncompleteError, type IndexReport, indexBatch } from '../../core/index/index-batch.ts';
import type { DeadLetters, TickerIndex } from '../../core/index/ports.ts';
import { deadlineOf, RESERVES_MS } from '../../core/runtime/budgets.ts';
import { flag, readEnvironment } from '../../core/runtime/environment.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { createMetrics, metricsVariables } from '../../stores/aws/metrics.ts';
import { createBulkClientOf } from '../../stores/opensearch/bulk-client.ts';
import { openSearchVariables } from '../../stores/opensearch/environment.ts';
import { OpenSearchTickers } from '../../stores/opensearch/tickers.ts';
import { createS3Client } from '../../stores/s3/client.ts';
import { S3DeadLetters } from '../../stores/s3/dead-letters.ts';

const environment = readEnvironment(
  z.object({
    ...openSearchVariables,
    LAKE_BUCKET: z.string().min(1),
    ...metricsVariables,
    /** Whether the event source mapping has ReportBatchItemFailures set. */
    PARTIAL_BATCH_RESPONSE: flag,
  }),
  process.env,
);
const log = createLogger('index');
const emit = createMetrics(environment.STAGE);
/** Of the current invocation; an instance runs one at a time. */
let tally = { retried: 0, openSearchMs: 0 };
const tickers = new OpenSearchTickers(createBulkClientOf(environment), {
  onRetry: ({ attempt, delayMs, error, documents }) => {
    tally.retried += documents;
    log.warn('Sending documents again', { attempt, delayMs, documents, error: error as Error });
  },
});
const timedTickers: TickerIndex = {
  async create(documents, deadlineMs) {
    const begunMs = Date.now();
    try {
      return await tickers.create(documents, deadlineMs);
    } finally {
      tally.openSearchMs += Date.now() - begunMs;
    }
  },
};
const dependencies = {
  index: timedTickers,
  log,
  now: Date.now,
};
const letters = new S3DeadLetters(createS3Client(process.env), environment.LAKE_BUCKET);

/** What Lambda expects of a Kafka consumer with ReportBatchItemFailures, and the counts. */
export interface KafkaBatchResponse extends Omit<IndexReport, 'unstored' | 'firstReason'> {
  batchItemFailures: { itemIdentifier: { partition: string; offset: number } }[];
}

/**
 * Indexes a batch of tickers.
 * @throws IndexingIncompleteError if records have to be delivered again and the mapping does not read partial answers:
 *   it would take any returned value as success
 */
export async function handler(event: MSKEvent, context: Context): Promise<KafkaBatchResponse> {
  log.addContext(context);
  tally = { retried: 0, openSearchMs: 0 };
  const records = Object.values(event.records).flat();
  const remainingMs = context.getRemainingTimeInMillis();
  const deadlineMs = deadlineOf(remainingMs, Date.now());
  const finishMs = deadlineOf(remainingMs, Date.now(), RESERVES_MS.answer);
  const deadLetters: DeadLetters = { put: (all) => letters.put(all, finishMs) };
  let report: IndexReport | undefined;
  try {
    report = await indexBatch(records, deadlineMs, { ...dependencies, deadLetters });
  } finally {
    emit('index', {}, batchMetrics({ records, report, ...tally, endedMs: Date.now() }));
  }
  const { unstored, firstReason, ...counts } = report;
  log.info('Indexed', { ...counts, unstored: unstored.length });
  if (unstored.length > 0 && !environment.PARTIAL_BATCH_RESPONSE) {
    throw new IndexingIncompleteError(
      `${unstored.length} of ${counts.records} records are not stored yet and must be delivered again: ${firstReason}`,
    );
  }
  const batchItemFailures = unstored.map(({ topic, partition, offset }) => ({
    itemIdentifier: { partition: `${topic}-${partition}`, offset },
  }));
  return { ...counts, batchItemFailures };
}
