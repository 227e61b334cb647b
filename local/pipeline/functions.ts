import { samplingIntervalsText } from '../../core/market/sampling.ts';
import type { ServiceUrls } from '../engines/engines.ts';
import { s3Environment } from '../engines/s3-client.ts';
import { type LambdaFunction, startLambda } from '../lambda-host/host.ts';
import { readEndpoints } from './endpoints.ts';
import { BUCKET, CONSUMER_GROUP, TOPIC } from './resources.ts';
import { samplingIntervalsIn } from './sampling-intervals.ts';

/** The functions that run locally and their time limits, shorter than on AWS to reveal problems early. */
const TIMEOUT_MS = {
  ingest: 30_000,
  'ingest-ccxt': 60_000,
  index: 60_000,
  setup: 60_000,
  operate: 60_000,
  'candles-ccxt': 60_000,
  insights: 60_000,
  summarise: 60_000,
  watch: 30_000,
  compact: 300_000,
};

/** Up to one per partition of the topic; more threads would only cost memory. */
const INDEX_CONCURRENCY = 3;

export type LocalFunction = keyof typeof TIMEOUT_MS;

/** Hosts a handler with the environment that it would have on AWS. */
export function hostFunction(
  name: LocalFunction,
  options: { folder: string; urls: ServiceUrls; environment?: Record<string, string> | undefined },
): LambdaFunction {
  const { folder, urls, environment } = options;
  const exchanges = readEndpoints(folder)?.exchanges;
  return startLambda({
    name,
    handlerFile: new URL(`../../lambdas/${name}/handler.ts`, import.meta.url),
    environment: {
      ...s3Environment(urls.s3),
      LAKE_BUCKET: BUCKET,
      KAFKA_BROKERS: urls.kafka,
      KAFKA_TOPIC: TOPIC,
      CONSUMER_GROUP,
      OPENSEARCH_URL: urls.openSearch,
      STAGE: 'local',
      // Replayed and recorded markets are on this machine.
      EXCHANGE_ADDRESSES: 'any',
      ...(exchanges ? { EXCHANGES: JSON.stringify(exchanges) } : {}),
      SAMPLING_INTERVALS: samplingIntervalsText(samplingIntervalsIn(folder)),
      // On one machine the index keeps everything that the lake has, so that the two can be compared.
      TICK_RETENTION_DAYS: 'never',
      ...environment,
    },
    timeoutMs: TIMEOUT_MS[name],
    // DuckDB may be at work when the pipeline is stopped.
    ownProcess: name === 'compact',
    concurrency: name === 'index' ? INDEX_CONCURRENCY : 1,
    logFile: `${folder}/logs/lambda-${name}.log`,
  });
}
