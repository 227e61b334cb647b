import type { Context } from 'aws-lambda';
import * as z from 'zod';
import type { OperationServices, Slice } from '../../core/operate/operation.ts';
import { OPERATIONS } from '../../core/operate/operations.ts';
import { deadlineOf } from '../../core/runtime/budgets.ts';
import { jsonText, readEnvironment } from '../../core/runtime/environment.ts';
import { summarySettings, summaryVariables } from '../../core/summarise/settings.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { createKafkaOf, kafkaVariables } from '../../stores/kafka/client.ts';
import { KafkaStream } from '../../stores/kafka/stream.ts';
import { createOpenSearchOf } from '../../stores/opensearch/client.ts';
import { openSearchVariables } from '../../stores/opensearch/environment.ts';
import { OpenSearchTickers } from '../../stores/opensearch/tickers.ts';
import { createS3Client } from '../../stores/s3/client.ts';
import { S3Lake } from '../../stores/s3/lake.ts';

const environment = readEnvironment(
  z.object({
    ...openSearchVariables,
    LAKE_BUCKET: z.string().min(1),
    ...kafkaVariables,
    KAFKA_TOPIC: z.string().min(1),
    CONSUMER_GROUP: z.string().min(1),
    /** Names of the exchanges that are polled, as JSON. @default all that the lake knows */
    EXCHANGES: jsonText(z.array(z.string().min(1)).min(1)).optional(),
    ...summaryVariables,
  }),
  process.env,
);
const log = createLogger('operate');
const s3 = createS3Client(process.env);
const openSearch = createOpenSearchOf(environment);
const kafka = createKafkaOf(environment, 'operate', log);
const services: OperationServices = {
  lake: new S3Lake(s3, environment.LAKE_BUCKET),
  stream: new KafkaStream(kafka, environment.KAFKA_TOPIC),
  index: new OpenSearchTickers(openSearch, {
    onRetry: ({ attempt, delayMs, error }) =>
      log.warn('Documents are sent again', { attempt, delayMs, error: error as Error }),
  }),
  s3,
  bucket: environment.LAKE_BUCKET,
  openSearch,
  kafka,
  topic: environment.KAFKA_TOPIC,
  consumerGroup: environment.CONSUMER_GROUP,
  exchanges: environment.EXCHANGES,
  summaries: summarySettings(environment),
  log,
};

const operationEvent = z.object({
  operation: z.string(),
  input: z.unknown(),
  sliceMs: z.number().positive().optional(),
  cursor: z.unknown().optional(),
});

/** The event names no operation, or its input is not what the operation takes. */
export class OperationInputError extends Error {
  override readonly name = 'OperationInputError';
}

/**
 * Does one slice of an operator's command; the caller sends the cursor of the answer with the next event until
 * there is none.
 * @throws OperationInputError
 */
export async function handler(event: unknown, context: Context): Promise<Slice<unknown>> {
  log.addContext(context);
  const { operation: name, input, sliceMs, cursor } = operationEvent.parse(event);
  const operation = OPERATIONS[name];
  if (!operation) {
    throw new OperationInputError(
      `There is no operation "${name}"; there are ${Object.keys(OPERATIONS).join(', ')}`,
    );
  }
  const checked = operation.input.safeParse(input);
  if (!checked.success) throw new OperationInputError(`${name}: ${z.prettifyError(checked.error)}`);
  const now = Date.now();
  const endMs = deadlineOf(context.getRemainingTimeInMillis(), now);
  const deadlineMs = Math.min(endMs, now + (sliceMs ?? Number.POSITIVE_INFINITY));
  const slice = await operation.slice(checked.data, cursor, services, { deadlineMs });
  log.info('Did a slice', { operation: name, progress: slice.progress, done: slice.cursor === undefined });
  return slice;
}
