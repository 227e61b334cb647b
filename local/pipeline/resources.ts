import { setTimeout as wait } from 'node:timers/promises';
import { CreateBucketCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Admin } from 'kafkajs';

/** What `cdk deploy` makes on AWS and `npm start` on one machine: the same names for everybody's client. */
export const TOPIC = 'tickers';
export const BUCKET = 'crypto-market-lake';
export const CONSUMER_GROUP = 'index';
/** One shard and no replica: there is one node. */
export const INDEX_SETTINGS = { shards: 1, replicas: 0, refreshInterval: '1s' };
const PARTITIONS = 3;

/** A server that was named with an option, or has just started, does not serve us. */
export class ServiceUnavailableError extends Error {
  override readonly name = 'ServiceUnavailableError';
}

export interface PatienceOptions {
  /** For the error: "Kafka at 127.0.0.1:9092". */
  service: string;
  signal: AbortSignal;
  /** @default 60,000 */
  patienceMs?: number;
}

/**
 * Tries until it works: a server that was named may be starting itself.
 * @throws ServiceUnavailableError after `patienceMs`; the signal's reason
 */
export async function untilItWorks<T>(attempt: () => Promise<T>, options: PatienceOptions): Promise<T> {
  const { service, signal, patienceMs = 60_000 } = options;
  const deadlineMs = Date.now() + patienceMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (cause) {
      if (Date.now() > deadlineMs) {
        const why = cause instanceof Error ? cause.message || cause.name : String(cause);
        throw new ServiceUnavailableError(
          `${service} did not serve us for ${patienceMs / 1_000} s: ${why}. Check that it runs there, or leave the option out to have one started.`,
          { cause },
        );
      }
    }
    await wait(200, undefined, { signal });
  }
}

/** The lake's bucket, made where it is not there. */
export async function ensureBucket(client: S3Client): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: BUCKET }));
  } catch (error) {
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== 404) throw error;
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  }
}

/** The topic, made where it is not there. */
export async function ensureTopic(admin: Admin): Promise<void> {
  await admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1 }],
  });
}
