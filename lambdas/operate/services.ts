import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { OperationServices } from '../../core/operate/operation.ts';
import { KAFKA_NO_RETRY } from '../../core/runtime/budgets.ts';
import { jsonText } from '../../core/runtime/environment.ts';
import type { Log } from '../../core/runtime/log.ts';
import { summarySettings, summaryVariables } from '../../core/summarise/settings.ts';
import { addressVariables } from '../../exchanges/http/addresses.ts';
import { exchangeCandles } from '../../exchanges/http/candle-source.ts';
import { createMetrics, metricsVariables } from '../../stores/aws/metrics.ts';
import { createKafkaOf, kafkaVariables } from '../../stores/kafka/client.ts';
import { KafkaHealth } from '../../stores/kafka/health.ts';
import { KafkaStream } from '../../stores/kafka/stream.ts';
import { createOpenSearchOf } from '../../stores/opensearch/client.ts';
import { OpenSearchCompleteness } from '../../stores/opensearch/completeness.ts';
import { openSearchVariables } from '../../stores/opensearch/environment.ts';
import { OpenSearchFailedPollIndex } from '../../stores/opensearch/failed-polls.ts';
import { OpenSearchHealth } from '../../stores/opensearch/health.ts';
import { isTransient } from '../../stores/opensearch/letter-errors.ts';
import { OpenSearchListingIndex } from '../../stores/opensearch/listings.ts';
import { summaryLease } from '../../stores/opensearch/summary-lease.ts';
import { OpenSearchTickerIds } from '../../stores/opensearch/ticker-ids.ts';
import { OpenSearchTickers } from '../../stores/opensearch/tickers.ts';
import { S3CandleHistory } from '../../stores/s3/candle-history.ts';
import { createS3Client } from '../../stores/s3/client.ts';
import { S3DeadLetters } from '../../stores/s3/dead-letters.ts';
import { S3GivenUpBatches } from '../../stores/s3/given-up-batches.ts';
import { S3LakeHealth } from '../../stores/s3/health.ts';
import { S3Lake } from '../../stores/s3/lake.ts';

export const operateVariables = {
  ...openSearchVariables,
  ...metricsVariables,
  LAKE_BUCKET: z.string().min(1),
  ...addressVariables,
  ...kafkaVariables,
  KAFKA_TOPIC: z.string().min(1),
  CONSUMER_GROUP: z.string().min(1),
  /** Names of the exchanges that are polled, as JSON. @default all that the lake knows */
  EXCHANGES: jsonText(z.array(z.string().min(1)).min(1)).optional(),
  /** Of the event source mapping. */
  BATCHING_WINDOW_SECONDS: z.coerce.number().nonnegative().default(0),
  ...summaryVariables,
};

export type OperateEnvironment = z.infer<z.ZodObject<typeof operateVariables>>;

/** Everything operations use, none of it connected yet. */
export function operationServices(environment: OperateEnvironment, log: Log): OperationServices {
  const { LAKE_BUCKET: bucket, KAFKA_TOPIC: topic, CONSUMER_GROUP: consumerGroup } = environment;
  const s3 = createS3Client(process.env);
  const openSearch = createOpenSearchOf(environment);
  const kafka = createKafkaOf(environment, 'operate', log);
  return {
    lake: new S3Lake(s3, bucket),
    stream: new KafkaStream(createKafkaOf(environment, 'operate', log, KAFKA_NO_RETRY), topic),
    index: new OpenSearchTickers(openSearch, {
      onRetry: ({ attempt, delayMs, error }) =>
        log.warn('Retrying documents', { attempt, delayMs, error: error as Error }),
    }),
    tickerIds: new OpenSearchTickerIds(openSearch),
    deadLetters: new S3DeadLetters(s3, bucket),
    isTransient,
    givenUpBatches: new S3GivenUpBatches(s3, bucket),
    listings: new OpenSearchListingIndex(openSearch),
    failedPolls: new OpenSearchFailedPollIndex(openSearch),
    completeness: new OpenSearchCompleteness(openSearch),
    candleHistory: new S3CandleHistory(s3, bucket),
    exchangeCandles: exchangeCandles(environment.EXCHANGE_ADDRESSES),
    summaryLease: summaryLease(openSearch, log),
    streamHealth: new KafkaHealth(kafka, topic, consumerGroup),
    searchHealth: new OpenSearchHealth(openSearch),
    lakeHealth: new S3LakeHealth(s3, bucket),
    exchanges: environment.EXCHANGES,
    summaries: summarySettings(environment),
    batchingWindowMs: environment.BATCHING_WINDOW_SECONDS * 1_000,
    log,
    emit: createMetrics(environment.STAGE),
    now: Date.now,
    sleep,
  };
}
