import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { Client } from '@opensearch-project/opensearch';
import { Kafka, logLevel } from 'kafkajs';
import { inject } from 'vitest';

/** Where the engines of this test run listen. */
export const services = inject('services');

/** What an S3 client needs to talk to a local S3 server. */
export function s3ClientConfig(endpoint: string): S3ClientConfig {
  return {
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  };
}

export const s3 = new S3Client(s3ClientConfig(services.s3));

export const openSearch = new Client({ node: services.openSearch });

export const kafka = new Kafka({ clientId: 'test', brokers: [services.kafka], logLevel: logLevel.NOTHING });

/** A new, empty bucket. */
export async function freshBucket(): Promise<string> {
  const bucket = `test-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  return bucket;
}

/** A new, empty topic whose partitions have a leader. */
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

/** Deletes every candle and move, and what summarising remembers. */
export function clearSummaries(): Promise<void> {
  return clearIndices('candles-*,moves*,summaries-state*');
}

async function clearIndices(index: string): Promise<void> {
  const { body } = await openSearch.indices.get({
    index,
    allow_no_indices: true,
    expand_wildcards: ['open', 'hidden'],
  });
  // By name: deleting by pattern may be forbidden in the server's settings.
  const names = Object.keys(body);
  if (names.length > 0) await openSearch.indices.delete({ index: names.join(',') });
}
