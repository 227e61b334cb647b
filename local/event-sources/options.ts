import type { MSKEvent } from 'aws-lambda';
import type { KafkaConfig } from 'kafkajs';
import type { Log } from '../../core/runtime/log.ts';
import type { EventOrigin } from './batch.ts';
import type { Backoff, Retry, RetryPolicy } from './batch-processing.ts';
import type { BatchLimits } from './record-queue.ts';

/** The bucket for records that are given up. */
export interface S3Destination {
  readonly s3Url: string;
  readonly bucket: string;
}

export interface KafkaEventSourceOptions {
  /** `host:port`. */
  readonly brokers: readonly string[];
  /** @default the brokers know no users */
  readonly signIn?: Pick<KafkaConfig, 'ssl' | 'sasl'>;
  readonly topic: string;
  /** The consumer group; a new one starts at the earliest offset (TRIM_HORIZON). */
  readonly groupId: string;
  /** Appears in the records of the on-failure destination. @default "function" */
  readonly functionName?: string;
  /** Calls the function. A rejection is a function error. */
  readonly invoke: (event: MSKEvent) => Promise<unknown>;
  /** Most records in an event, 1 to 10,000. @default 10_000 */
  readonly batchSize?: number;
  /** How long a batch may gather records. @default 0 */
  readonly maximumBatchingWindowMs?: number;
  /** `ReportBatchItemFailures`. */
  readonly partialBatchResponse: boolean;
  readonly bisectOnError: boolean;
  /** -1: no limit or, with a destination, {@link DEFAULT_RETRIES_WITH_DESTINATION}. @default -1 */
  readonly maximumRetryAttempts?: number;
  /** @default no limit */
  readonly maximumRecordAgeMs?: number;
  /** Where records go that are given up. @default they are dropped, with an error in the log, as in AWS */
  readonly onFailure?: S3Destination;
  /** Pauses between attempts on the same records. @default 100 ms to 5 s */
  readonly retryBackoff?: Backoff;
  readonly onBatch?: (info: BatchInfo) => void;
  readonly onRetry?: (retry: Retry) => void;
  readonly log: Log;
}

/** All or part of a batch that the function has handled. Offsets are decimal strings by partition. */
export interface BatchInfo {
  readonly records: number;
  /** Of the JSON event in which the records were first sent. */
  readonly payloadBytes: number;
  readonly nextOffsets: Record<string, string>;
  /** What the handler returned. */
  readonly result: unknown;
  /** Of the last invocation. */
  readonly durationMs: number;
}

/**
 * Where Lambda stops "unlimited" retries if there is an on-failure destination.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 */
const DEFAULT_RETRIES_WITH_DESTINATION = 10;

/** Lambda's limit for an event. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

export function originOf({ brokers }: KafkaEventSourceOptions): EventOrigin {
  return {
    eventSourceArn: 'arn:aws:kafka:local:000000000000:cluster/local/0',
    bootstrapServers: brokers.join(','),
  };
}

export function limitsOf(options: KafkaEventSourceOptions): BatchLimits {
  const { batchSize = 10_000, maximumBatchingWindowMs = 0 } = options;
  return { maxRecords: batchSize, maxPayloadBytes: MAX_PAYLOAD_BYTES, windowMs: maximumBatchingWindowMs };
}

export function retryPolicyOf(options: KafkaEventSourceOptions): RetryPolicy {
  const { maximumRetryAttempts: attempts = -1, onFailure } = options;
  return {
    partialBatchResponse: options.partialBatchResponse,
    bisectOnError: options.bisectOnError,
    maximumRetryAttempts: attempts < 0 && onFailure ? DEFAULT_RETRIES_WITH_DESTINATION : attempts,
    maximumRecordAgeMs: options.maximumRecordAgeMs,
    backoff: options.retryBackoff ?? { initialMs: 100, maxMs: 5_000 },
  };
}
