import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { createKafka } from '../adapters/kafka-client.ts';
import { createLogger } from '../adapters/logger.ts';
import { createOpenSearch } from '../adapters/opensearch-client.ts';
import { createS3Client } from '../adapters/s3-client.ts';
import { S3Lake } from '../adapters/s3-lake.ts';
import { brokerList, readEnvironment } from '../domain/environment.ts';
import type { OperationServices, Slice } from './operation.ts';
import { OPERATIONS } from './operations.ts';

const environment = readEnvironment(
  z.object({
    OPENSEARCH_URL: z.url({ protocol: /^https?$/ }),
    LAKE_BUCKET: z.string().min(1),
    KAFKA_BROKERS: brokerList,
    KAFKA_TOPIC: z.string().min(1),
    CONSUMER_GROUP: z.string().min(1),
  }),
  process.env,
);
const log = createLogger('operate');
const s3 = createS3Client(process.env);
const services: OperationServices = {
  lake: new S3Lake(s3, environment.LAKE_BUCKET),
  s3,
  bucket: environment.LAKE_BUCKET,
  openSearch: createOpenSearch(environment.OPENSEARCH_URL),
  kafka: createKafka('operate', environment.KAFKA_BROKERS, log),
  topic: environment.KAFKA_TOPIC,
  consumerGroup: environment.CONSUMER_GROUP,
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

/** Kept for the answer. */
const FINISH_RESERVE_MS = 5_000;

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
  const remainingMs = context.getRemainingTimeInMillis();
  const limitMs = remainingMs - Math.min(FINISH_RESERVE_MS, remainingMs / 4);
  const deadlineMs = Date.now() + Math.min(limitMs, sliceMs ?? limitMs);
  const slice = await operation.slice(checked.data, cursor, services, { deadlineMs });
  log.info('Did a slice', { operation: name, progress: slice.progress, done: slice.cursor === undefined });
  return slice;
}
