import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { ListingWatch } from '../../core/ingest/listings.ts';
import { type PollDependencies, poll } from '../../core/ingest/poll.ts';
import { pollMetrics } from '../../core/ingest/poll-metrics.ts';
import type { TickerSource } from '../../core/ingest/ports.ts';
import type { PollReport } from '../../core/ingest/report.ts';
import { DAY_MS } from '../../core/market/time.ts';
import { KAFKA_NO_RETRY, pollBudget } from '../../core/runtime/budgets.ts';
import { jsonText, readEnvironment } from '../../core/runtime/environment.ts';
import type { Log } from '../../core/runtime/log.ts';
import { tickRetentionVariable } from '../../core/summarise/settings.ts';
import { addressVariables, holdTo } from '../../exchanges/http/addresses.ts';
import type { ClientOptions } from '../../exchanges/http/client.ts';
import { type SourceConfig, sourceConfigSchema } from '../../exchanges/source-config.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { createMetrics, metricsVariables } from '../../stores/aws/metrics.ts';
import { createKafkaOf, kafkaVariables } from '../../stores/kafka/client.ts';
import { KafkaStream } from '../../stores/kafka/stream.ts';
import { createS3Client } from '../../stores/s3/client.ts';
import { S3Lake } from '../../stores/s3/lake.ts';

/** The input of the EventBridge schedule: `<aws.scheduler.scheduled-time>` is the slot. */
const scheduledPoll = z.object({
  slot: z.iso.datetime({ offset: true, error: 'expected an ISO 8601 time' }),
});

const ingestVariables = z.object({
  /** The source to poll, as JSON. */
  TICKER_SOURCE: jsonText(sourceConfigSchema),
  /** Replaces the base URL of the source's API. */
  TICKER_API_URL: z.url({ protocol: /^https?$/ }).optional(),
  ...addressVariables,
  LAKE_BUCKET: z.string().min(1),
  ...metricsVariables,
  ...kafkaVariables,
  KAFKA_TOPIC: z.string().min(1),
  /** Between two slots; a poll stops before the next one begins. @default only Lambda's time limit counts */
  SAMPLING_INTERVAL_MS: z.coerce.number().int().positive().optional(),
  TICK_RETENTION_DAYS: tickRetentionVariable,
  /** How long nobody may delete a batch; the bucket has Object Lock. */
  LAKE_LOCK_DAYS: z.coerce.number().int().positive().optional(),
});

/**
 * The handler of the ingest functions: it polls the configured source once, and throws if the poll has to be repeated.
 * @param createSource the only difference between them
 */
export function createIngestHandler(
  createSource: (config: SourceConfig, options: ClientOptions) => TickerSource,
): (event: unknown, context: Context) => Promise<PollReport> {
  const environment = readEnvironment(ingestVariables, process.env);
  holdTo(environment.EXCHANGE_ADDRESSES, environment.TICKER_API_URL);
  const log = createLogger('ingest');
  const emit = createMetrics(environment.STAGE);
  const { name, categories } = environment.TICKER_SOURCE;
  const source = createSource(environment.TICKER_SOURCE, {
    baseUrl: environment.TICKER_API_URL,
    onRetry: ({ attempt, delayMs, error }) =>
      log.warn('Retrying a request to the exchange', { attempt, delayMs, error: error as Error }),
    onFallback: ({ url, error }) => log.warn('The last good answer is used instead', { url, error }),
  });
  const dependencies = dependenciesOf(environment, source, log);

  /** The latest slot polled by this instance. */
  let latestSlotMs: number | undefined;

  return async (event, context) => {
    log.addContext(context);
    const slot = new Date(scheduledPoll.parse(event).slot).toISOString();
    const begunMs = Date.now();
    // A new instance cannot know whether another one has already polled the slot.
    const fetchBeforeLakeCheck = latestSlotMs !== undefined && Date.parse(slot) > latestSlotMs;
    latestSlotMs = Math.max(latestSlotMs ?? 0, Date.parse(slot));
    let soFar: PollReport | undefined;
    let threw = true;
    try {
      const budget = pollBudget({
        now: begunMs,
        remainingMs: context.getRemainingTimeInMillis(),
        slotMs: Date.parse(slot),
        samplingIntervalMs: environment.SAMPLING_INTERVAL_MS,
      });
      const onProgress = (report: PollReport) => {
        soFar = report;
      };
      const report = await poll(slot, budget, { ...dependencies, fetchBeforeLakeCheck, onProgress });
      threw = false;
      log.info('Polled', { report });
      return report;
    } finally {
      const ended = { report: soFar, threw, categories: categories.length };
      const times = { slotMs: Date.parse(slot), begunMs, endedMs: Date.now() };
      emit('ingest', { source: name }, pollMetrics({ ...ended, ...times }));
    }
  };
}

function dependenciesOf(
  environment: z.infer<typeof ingestVariables>,
  source: TickerSource,
  log: Log,
): PollDependencies {
  const {
    LAKE_BUCKET,
    LAKE_LOCK_DAYS: lockDays,
    KAFKA_TOPIC,
    TICK_RETENTION_DAYS: retentionDays,
  } = environment;
  const lake = new S3Lake(createS3Client(process.env), LAKE_BUCKET, { lockDays });
  return {
    source,
    lake,
    listings: new ListingWatch(lake),
    failures: lake,
    stream: new KafkaStream(createKafkaOf(environment, 'ingest', log, KAFKA_NO_RETRY), KAFKA_TOPIC),
    log,
    now: Date.now,
    retentionMs: retentionDays === 'never' ? Number.POSITIVE_INFINITY : retentionDays * DAY_MS,
  };
}
