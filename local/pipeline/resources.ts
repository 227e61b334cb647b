import { CreateBucketCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Client } from '@opensearch-project/opensearch';
import type { Admin } from 'kafkajs';
import type { Log } from '../../core/runtime/log.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import { waitAtMost } from '../../core/runtime/wait.ts';
import { createKafka } from '../../stores/kafka/client.ts';
import { createOpenSearch } from '../../stores/opensearch/client.ts';
import type { ServiceUrls } from '../engines/engines.ts';
import { localS3Client, withoutCredentials } from '../engines/s3-client.ts';

/** What `cdk deploy` creates on AWS and `npm start` on one machine. The names are fixed, so that any client finds them. */
export const TOPIC = 'tickers';
export const BUCKET = 'crypto-market-lake';
export const CONSUMER_GROUP = 'index';
/** One shard and no replicas, because there is a single node. */
export const INDEX_SETTINGS = { shards: 1, replicas: 0, refreshInterval: '1s' };
const PARTITIONS = 3;

/** A server that was given, or has just started, does not answer properly. */
export class ServiceUnavailableError extends Error {
  override readonly name = 'ServiceUnavailableError';
}

export interface StoreClients {
  s3: S3Client;
  admin: Admin;
  openSearch: Client;
}

/** Clients of the stores, closed with the pipeline. The admin connects in {@link prepareStores}. */
export function connectStores(urls: ServiceUrls, log: Log, cleanups: AsyncDisposableStack): StoreClients {
  const s3 = localS3Client(urls.s3);
  cleanups.defer(() => s3.destroy());
  const admin = createKafka('local', urls.kafka.split(','), log).admin();
  cleanups.defer(() => waitAtMost(DISCONNECT_MS, admin.disconnect()));
  const openSearch = createOpenSearch(urls.openSearch);
  cleanups.defer(() => openSearch.close());
  return { s3, admin, openSearch };
}

const DISCONNECT_MS = 500;
/** A server that was given may still be starting. */
const PATIENCE_MS = 60_000;

/**
 * Waits for the stores, and creates bucket and topic if they do not exist.
 * @throws ServiceUnavailableError, or the signal's reason
 */
export async function prepareStores(
  { s3, admin, openSearch }: StoreClients,
  urls: ServiceUrls,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([
    waitForService(`The S3 server at ${withoutCredentials(urls.s3)}`, () => ensureBucket(s3), signal),
    waitForService(`Kafka at ${urls.kafka}`, () => admin.connect().then(() => ensureTopic(admin)), signal),
    waitForService(`OpenSearch at ${urls.openSearch}`, () => openSearch.cluster.health(), signal),
  ]);
}

/** The offset after the topic's last record, by partition. */
export async function topicEnds(admin: Admin): Promise<Record<string, string>> {
  const offsets = await admin.fetchTopicOffsets(TOPIC);
  return Object.fromEntries(offsets.map(({ partition, high }) => [String(partition), high]));
}

async function waitForService(
  service: string,
  attempt: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await retryUntilDeadline(attempt, {
      deadlineMs: Date.now() + PATIENCE_MS,
      initialDelayMs: 200,
      maxDelayMs: 500,
      isRetryable: () => !signal.aborted,
    });
  } catch (cause) {
    signal.throwIfAborted();
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    throw new ServiceUnavailableError(
      `${service} was not usable within ${PATIENCE_MS / 1_000} s: ${reason}. Check that it is running, or omit the option to have one started.`,
      { cause },
    );
  }
}

async function ensureBucket(client: S3Client): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: BUCKET }));
  } catch (error) {
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== 404) throw error;
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  }
}

async function ensureTopic(admin: Admin): Promise<void> {
  await admin.createTopics({
    waitForLeaders: true,
    // With the brokers' own replication factor: a Kafka that was given may have several brokers.
    topics: [{ topic: TOPIC, numPartitions: PARTITIONS }],
  });
}
