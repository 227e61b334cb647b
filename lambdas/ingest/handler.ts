import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { createKafka } from '../adapters/kafka-client.ts';
import { KafkaStream } from '../adapters/kafka-stream.ts';
import { createLogger } from '../adapters/logger.ts';
import { createS3Client } from '../adapters/s3-client.ts';
import { S3Lake } from '../adapters/s3-lake.ts';
import { brokerList, jsonText, readEnvironment } from '../domain/environment.ts';
import { type PollReport, poll } from './poll.ts';
import { createSource, sourceConfigSchema } from './sources/source-config.ts';

const environment = readEnvironment(
  z.object({
    /** The source to poll, as JSON. */
    TICKER_SOURCE: jsonText(sourceConfigSchema),
    /** Replaces the base URL of the source's API. */
    TICKER_API_URL: z.url({ protocol: /^https?$/ }).optional(),
    LAKE_BUCKET: z.string().min(1),
    KAFKA_BROKERS: brokerList,
    KAFKA_TOPIC: z.string().min(1),
  }),
  process.env,
);
const log = createLogger('ingest');
const dependencies = {
  source: createSource(environment.TICKER_SOURCE, {
    baseUrl: environment.TICKER_API_URL,
    onRetry: ({ attempt, delayMs, error }) =>
      log.warn('The exchange is asked again', { attempt, delayMs, error: error as Error }),
  }),
  lake: new S3Lake(createS3Client(process.env), environment.LAKE_BUCKET),
  stream: new KafkaStream(createKafka('ingest', environment.KAFKA_BROKERS, log), environment.KAFKA_TOPIC),
  log,
  now: Date.now,
};

/** The input of the EventBridge schedule: `<aws.scheduler.scheduled-time>` is the slot. */
const scheduledPoll = z.object({
  slot: z.iso.datetime({ offset: true, error: 'expected an ISO 8601 time' }),
});

/** Kept for the lake and the stream, however long the exchange takes. */
const STORE_RESERVE_MS = 15_000;
/** Kept for the marker, the logs and the answer. */
const FINISH_RESERVE_MS = 3_000;

/** Polls the configured source once. @throws where the poll has to be tried again */
export async function handler(event: unknown, context: Context): Promise<PollReport> {
  log.addContext(context);
  const slot = new Date(scheduledPoll.parse(event).slot).toISOString();
  const remainingMs = context.getRemainingTimeInMillis();
  const endMs = Date.now() + remainingMs;
  const report = await poll(
    slot,
    {
      fetchDeadlineMs: endMs - Math.min(STORE_RESERVE_MS, remainingMs / 2),
      deadlineMs: endMs - Math.min(FINISH_RESERVE_MS, remainingMs / 10),
    },
    dependencies,
  );
  log.info('Polled', { report });
  return report;
}
