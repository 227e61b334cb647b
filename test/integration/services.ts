import { randomUUID } from 'node:crypto';
import {
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  DeleteObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { Client } from '@opensearch-project/opensearch';
import { logLevel } from 'kafkajs';
import { inject } from 'vitest';
import { localS3Client } from '../../local/engines/s3-client.ts';
import { BUCKET } from '../../local/pipeline/resources.ts';
import { Kafka } from '../../stores/kafka/kafkajs.ts';

/** The addresses of this test run's engines. */
export const services = inject('services');

export const s3 = localS3Client(services.s3);

/** Where a run has no OpenSearch, nobody asks it. */
export const openSearch = new Client({ node: services.openSearch || 'http://127.0.0.1:1' });

export const kafka = new Kafka({ clientId: 'test', brokers: [services.kafka], logLevel: logLevel.NOTHING });

/** A new, empty bucket. */
export async function freshBucket(): Promise<string> {
  const bucket = `test-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  return bucket;
}

/** Leaves nothing in the bucket that every command on one machine uses, whatever other files put there. */
export async function clearLake(): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET })).catch((error) => {
    if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
  });
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket: BUCKET })) {
    await Promise.all(Contents.map(({ Key }) => s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }))));
  }
}

/** A new, empty topic; its partitions have leaders. */
export async function freshTopic(partitions: number): Promise<string> {
  const topic = `test-${randomUUID()}`;
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.createTopics({
      topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
      waitForLeaders: true,
    });
  } finally {
    await admin.disconnect();
  }
  return topic;
}

/** Deletes every `tickers-*` index. */
export function clearTickers(): Promise<void> {
  return clearIndices('tickers-*');
}

/** Deletes all candles, moves and the state of summarising. */
export function clearSummaries(): Promise<void> {
  return clearIndices('candles-*,moves*,summaries-*');
}

/** Deletes the documents of what {@link clearTickers} and {@link clearSummaries} delete; quicker for many turns. */
export async function emptyIndices(): Promise<void> {
  await openSearch.deleteByQuery({
    index: 'tickers-*,candles-*,moves*,summaries-*',
    conflicts: 'proceed',
    refresh: true,
    expand_wildcards: ['open', 'hidden'],
    body: { query: { match_all: {} } },
  });
}

async function clearIndices(index: string): Promise<void> {
  const { body } = await openSearch.indices.get({
    index,
    allow_no_indices: true,
    expand_wildcards: ['open', 'hidden'],
  });
  // By name, because the server's settings may forbid deleting by pattern.
  const names = Object.keys(body);
  if (names.length > 0) await openSearch.indices.delete({ index: names.join(',') });
}
