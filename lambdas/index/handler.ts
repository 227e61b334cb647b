import type { Context, MSKEvent } from 'aws-lambda';
import * as z from 'zod';
import { createLogger } from '../adapters/logger.ts';
import { createOpenSearchOf, openSearchVariables } from '../adapters/opensearch-client.ts';
import { OpenSearchTickers } from '../adapters/opensearch-tickers.ts';
import { createS3Client } from '../adapters/s3-client.ts';
import { S3DeadLetters } from '../adapters/s3-dead-letters.ts';
import { deadlineOf } from '../domain/budgets.ts';
import { flag, readEnvironment } from '../domain/environment.ts';
import { IndexingIncompleteError, type IndexReport, indexBatch } from './index-batch.ts';

const environment = readEnvironment(
  z.object({
    ...openSearchVariables,
    LAKE_BUCKET: z.string().min(1),
    /** Whether the event source mapping was set to ReportBatchItemFailures, which is what reads the answer. */
    PARTIAL_BATCH_RESPONSE: flag,
  }),
  process.env,
);
const log = createLogger('index');
const dependencies = {
  index: new OpenSearchTickers(createOpenSearchOf(environment), {
    onRetry: ({ attempt, delayMs, error }) =>
      log.warn('Documents are sent again', { attempt, delayMs, error: error as Error }),
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
  const deadlineMs = deadlineOf(context.getRemainingTimeInMillis(), Date.now());
  const { unstored, firstReason, ...counts } = await indexBatch(event, deadlineMs, dependencies);
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
