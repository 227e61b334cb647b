import type { S3Client } from '@aws-sdk/client-s3';
import type { Client } from '@opensearch-project/opensearch';
import type { Kafka } from 'kafkajs';
import type * as z from 'zod';
import type { S3Lake } from '../../stores/s3/lake.ts';
import type { TickerIndex } from '../index/ports.ts';
import type { TickerStream } from '../ingest/ports.ts';
import type { Log } from '../runtime/log.ts';
import type { SummarySettings } from '../summarise/settings.ts';

/** The clients that an operation may use; each is connected when it is first asked for. */
export interface OperationServices {
  readonly lake: S3Lake;
  readonly stream: TickerStream;
  readonly index: TickerIndex;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly openSearch: Client;
  readonly kafka: Kafka;
  readonly topic: string;
  /** The consumer group of the index function. */
  readonly consumerGroup: string;
  /** The exchanges that are polled; undefined: all that the lake knows. */
  readonly exchanges: readonly string[] | undefined;
  /** What candles and moves are made by. */
  readonly summaries: SummarySettings;
  readonly log: Log;
}

/** How long one slice may take. */
export interface SliceBudget {
  /** Epoch ms after which no further piece of work is begun. */
  deadlineMs: number;
}

/** What one slice of an operation did. */
export interface Slice<Output> {
  /** Handed to the next slice; absent when the operation is done. JSON. */
  cursor?: unknown;
  /** For the progress bar: `done` of `total`, e.g. hours; both grow as more becomes known. */
  progress: { done: number; total: number; unit: string };
  /** What this slice found; the caller gathers the slices' outputs. JSON, small (a Lambda answers 6 MB at most). */
  output: Output;
}

/**
 * An operator's command, cut into slices that fit a Lambda's time: the same code runs on one machine and in a
 * deployed stage, and whoever calls it carries on where it stopped.
 */
export interface Operation<Input, Output> {
  readonly name: string;
  readonly input: z.ZodType<Input>;
  /** @param cursor what the slice before answered; undefined at first */
  slice(
    input: Input,
    cursor: unknown,
    services: OperationServices,
    budget: SliceBudget,
  ): Promise<Slice<Output>>;
}

/** The event of the operate function. */
export interface OperationEvent {
  operation: string;
  input: unknown;
  /** The slice should not take longer. @default the function's time limit */
  sliceMs?: number;
  cursor?: unknown;
}
