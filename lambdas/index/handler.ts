import type { Context, MSKEvent } from 'aws-lambda';
import * as z from 'zod';
import { batchMetrics } from '../../core/index/batch-metrics.ts';
import { IndexingIncompleteError, type IndexReport, indexBatch } from '../../core/index/index-batch.ts';
import type { TickerIndex } from '../../core/index/ports.ts';
import { deadlineOf } from '../../core/runtime/budgets.ts';
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
    /** Whether the event source mapping was set to ReportBatchItemFailures, which is what reads the answer. */
    PARTIAL_BATCH_RESPONSE: flag,
  }),
  process.env,
);
const log = createLogger('index');
const emit = createMetrics(environment.STAGE);
/** Of the invocation under way; an instance has one at a time. */
let tally = { retried: 0, openSearchMs: 0 };
const tickers = new OpenSearchTickers(createBulkClientOf(environment), {
  onRetry: ({ attempt, delayMs, error, documents }) => {
    tally.retried += documents;
    log.warn('Documents are sent again', { attempt, delayMs, documents, error: error as Error });
  },
});
const dependencies = {
  index: timed(tickers, (ms) => {
    tally.openSearchMs += ms;
  }),
  deadLetters: new S3DeadLetters(createS3Client(process.env), environment.LAKE_BUCKET),
  log,
  now: Date.now,
};

/** The answer that Lambda reads for a Kafka event source with ReportBatchItemFailures. */
export interface KafkaBatchResponse extends Omit<IndexReport, 'unstored'> {
  batchItemFailures: { itemIdentifier: { partition: string; offset: number } }[];
}

/**
 * Indexes a batch of tickers.
 * @throws IndexingIncompleteError where records have to come again and the mapping takes no partial answer: any
 *   returned value would count as success
 */
export async function handler(event: MSKEvent, context: Context): Promise<KafkaBatchResponse> {
  log.addContext(context);
  tally = { retried: 0, openSearchMs: 0 };
  const deadlineMs = deadlineOf(context.getRemainingTimeInMillis(), Date.now());
  const records = Object.values(event.records).flat();
  let report: Awaited<ReturnType<typeof indexBatch>> | undefined;
  try {
    report = await indexBatch(records, deadlineMs, dependencies);
  } finally {
    emit('index', {}, batchMetrics({ records, report, ...tally, endedMs: Date.now() }));
  }
  const { unstored, firstReason, ...counts } = report;
  log.info('Indexed', { ...counts, unstored: unstored.length });
  if (unstored.length > 0 && !environment.PARTIAL_BATCH_RESPONSE) {
    throw new IndexingIncompleteError(
      `${unstored.length} of ${counts.records} records are not stored yet and have to come again: ${firstReason}`,
    );
  }
  const batchItemFailures = unstored.map(({ topic, partition, offset }) => ({
    itemIdentifier: { partition: `${topic}-${partition}`, offset },
  }));
  return { ...counts, batchItemFailures };
}

/** The same index, whose time is taken: until the answer, with what was sent again. */
function timed(index: TickerIndex, tookMs: (ms: number) => void): TickerIndex {
  return {
    async create(documents, deadlineMs) {
      const begunMs = Date.now();
      try {
        return await index.create(documents, deadlineMs);
      } finally {
        tookMs(Date.now() - begunMs);
      }
    },
  };
}
