import type { CloudFormationCustomResourceEvent, Context, MSKEvent } from 'aws-lambda';
import { vi } from 'vitest';
import type { CompactInput, CompactOutput } from '../../../core/columns/compact.ts';
import type { VerifyColumnsInput, VerifyColumnsOutput } from '../../../core/columns/verify-columns.ts';
import type { PollReport } from '../../../core/ingest/report.ts';
import type { Slice } from '../../../core/operate/operation.ts';
import type { WatchReport } from '../../../core/operate/watch.ts';
import type { KafkaBatchResponse } from '../../../lambdas/index/handler.ts';
import type { InsightsEvent, InsightsResponse } from '../../../lambdas/insights/handler.ts';
import type { SetupResponse } from '../../../lambdas/setup/handler.ts';
import type { SummariseAnswer } from '../../../lambdas/summarise/handler.ts';
import { s3Environment } from '../../../local/engines/s3-client.ts';
import { STAGE } from '../../emf.ts';
import { services } from '../services.ts';

/**
 * A new instance of a function, as Lambda starts one: its module is evaluated anew with this environment.
 * The clients read parts of it only at their first call, so it stays until `vi.unstubAllEnvs()`.
 */
async function startFunction<T>(load: () => Promise<T>, environment: Record<string, string>): Promise<T> {
  const all = {
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    STAGE,
    EXCHANGE_ADDRESSES: 'any',
    ...s3Environment(services.s3),
    ...environment,
  };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  vi.resetModules();
  return load();
}

/** What Lambda tells a function about its invocation, as far as ours ask. */
function invocation(remainingMs: number): Context {
  return {
    functionName: 'under-test',
    awsRequestId: 'request-1',
    getRemainingTimeInMillis: () => remainingMs,
  } as Context;
}

export interface IngestEnvironment {
  source: { url: string; api?: string; categories: string[] };
  bucket: string;
  topic: string;
  /** @default the test run's own */
  kafka?: string;
  s3?: string;
}

export async function startIngest({ source, bucket, topic, kafka, s3 }: IngestEnvironment) {
  const { url, api = 'bybit-v5', categories } = source;
  const { handler } = await startFunction(() => import('../../../lambdas/ingest/handler.ts'), {
    TICKER_SOURCE: JSON.stringify({ name: 'bybit', exchange: 'bybit', api, categories }),
    TICKER_API_URL: url,
    LAKE_BUCKET: bucket,
    KAFKA_BROKERS: kafka ?? services.kafka,
    KAFKA_TOPIC: topic,
    ...(s3 ? s3Environment(s3) : {}),
  });
  return (slot: string, remainingMs = 30_000): Promise<PollReport> =>
    handler({ slot }, invocation(remainingMs));
}

export interface IndexEnvironment {
  bucket: string;
  openSearch?: string;
  s3?: string;
  /** @default false */
  partialBatchResponse?: boolean;
}

export async function startIndex({ bucket, openSearch, s3, partialBatchResponse = false }: IndexEnvironment) {
  const { handler } = await startFunction(() => import('../../../lambdas/index/handler.ts'), {
    OPENSEARCH_URL: openSearch ?? services.openSearch,
    LAKE_BUCKET: bucket,
    PARTIAL_BATCH_RESPONSE: String(partialBatchResponse),
    ...(s3 ? s3Environment(s3) : {}),
  });
  return (event: MSKEvent, remainingMs = 20_000): Promise<KafkaBatchResponse> =>
    handler(event, invocation(remainingMs));
}

export interface OperateEnvironment {
  bucket: string;
  topic: string;
  /** @default the test run's own */
  kafka?: string;
  openSearch?: string;
  s3?: string;
  /** The consumer group of the index function. @default 'index' */
  consumerGroup?: string;
  exchanges?: string[];
  samplingIntervals?: Record<string, number>;
}

/** Runs an operation to its end, as the command line does; answers the slices' outputs. */
export async function startOperate(given: OperateEnvironment) {
  const { handler } = await startFunction(() => import('../../../lambdas/operate/handler.ts'), {
    OPENSEARCH_URL: given.openSearch ?? services.openSearch,
    LAKE_BUCKET: given.bucket,
    KAFKA_BROKERS: given.kafka ?? services.kafka,
    KAFKA_TOPIC: given.topic,
    CONSUMER_GROUP: given.consumerGroup ?? 'index',
    ...(given.exchanges ? { EXCHANGES: JSON.stringify(given.exchanges) } : {}),
    ...(given.samplingIntervals ? { SAMPLING_INTERVALS: JSON.stringify(given.samplingIntervals) } : {}),
    ...(given.s3 ? s3Environment(given.s3) : {}),
  });
  return async <Output>(operation: string, input: object = {}, sliceMs?: number): Promise<Output[]> => {
    const outputs: Output[] = [];
    let cursor: unknown;
    do {
      const event = { operation, input, ...(sliceMs ? { sliceMs } : {}), ...(cursor ? { cursor } : {}) };
      // Through JSON, as Lambda passes both.
      const slice = JSON.parse(JSON.stringify(await handler(event, invocation(60_000)))) as Slice<Output>;
      outputs.push(slice.output);
      cursor = slice.cursor;
    } while (cursor !== undefined);
    return outputs;
  };
}

/** Runs compact as the schedule does, or a command's slices to their end. */
export async function startCompact({ bucket, s3 }: { bucket: string; s3?: string }) {
  const { handler } = await startFunction(() => import('../../../lambdas/compact/handler.ts'), {
    LAKE_BUCKET: bucket,
    ...(s3 ? s3Environment(s3) : {}),
  });
  const invoke = async (event: object) =>
    JSON.parse(JSON.stringify(await handler(event, invocation(300_000))));
  const slices = async <Output>(operation: string, input: object, sliceMs = 10_000): Promise<Output[]> => {
    const outputs: Output[] = [];
    let cursor: unknown;
    do {
      const slice: Slice<Output> = await invoke({ operation, input, sliceMs, cursor });
      outputs.push(slice.output);
      cursor = slice.cursor;
    } while (cursor !== undefined);
    return outputs;
  };
  return {
    scheduled: (now: string): Promise<CompactOutput> => invoke({ now }),
    compact: (input: CompactInput, sliceMs?: number) => slices<CompactOutput>('compact', input, sliceMs),
    verify: (input: VerifyColumnsInput, sliceMs?: number) =>
      slices<VerifyColumnsOutput>('verify-columns', input, sliceMs),
  };
}

export async function startSummarise(environment: Record<string, string> = {}) {
  const { handler } = await startFunction(() => import('../../../lambdas/summarise/handler.ts'), {
    OPENSEARCH_URL: services.openSearch,
    ...environment,
  });
  return (now: string, remainingMs = 60_000): Promise<SummariseAnswer> =>
    handler({ now }, invocation(remainingMs));
}

export async function startWatch(exchanges: string[], openSearch = services.openSearch) {
  const { handler } = await startFunction(() => import('../../../lambdas/watch/handler.ts'), {
    OPENSEARCH_URL: openSearch,
    EXCHANGES: JSON.stringify(exchanges),
    SAMPLING_INTERVALS: '{"bybit:linear":120000,"bybit:spot":120000,"kraken:spot":120000}',
  });
  return (now?: string, remainingMs = 20_000): Promise<WatchReport> =>
    handler({ now }, invocation(remainingMs));
}

export async function startSetup(openSearch = services.openSearch) {
  const { handler } = await startFunction(() => import('../../../lambdas/setup/handler.ts'), {
    OPENSEARCH_URL: openSearch,
    INDEX_SETTINGS: JSON.stringify({ shards: 1, replicas: 0, refreshInterval: '1s' }),
  });
  return (
    RequestType: CloudFormationCustomResourceEvent['RequestType'] = 'Create',
    remainingMs = 20_000,
  ): Promise<SetupResponse> => handler({ RequestType }, invocation(remainingMs));
}

export async function startInsights(openSearch = services.openSearch) {
  const { handler } = await startFunction(() => import('../../../lambdas/insights/handler.ts'), {
    OPENSEARCH_URL: openSearch,
    SAMPLING_INTERVALS: '{"recorded:spot":900000}',
  });
  return async (event: InsightsEvent, remainingMs = 20_000): Promise<InsightsResponse> =>
    // Through JSON, as Lambda passes it.
    JSON.parse(JSON.stringify(await handler(event, invocation(remainingMs))));
}
