import { randomUUID } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { MSKEvent, MSKRecord } from 'aws-lambda';
import { unpackLines } from '../../../core/lake/ndjson.ts';
import type { Ticker } from '../../../core/market/ticker.ts';
import { toMskEvent, toMskRecord } from '../../../local/event-sources/batch.ts';
import { kafka, s3 } from '../services.ts';

/** The keys under a prefix of a bucket, sorted. */
export async function keysOf(bucket: string, prefix = ''): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  return Contents.map(({ Key }) => Key as string).sort();
}

export async function bytesOf(bucket: string, key: string): Promise<Uint8Array> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return (await Body?.transformToByteArray()) ?? new Uint8Array();
}

/** Every record under a prefix, as JSON texts, in the order of the keys. */
export async function linesOf(bucket: string, prefix: string): Promise<string[]> {
  const keys = await keysOf(bucket, prefix);
  return (await Promise.all(keys.map(async (key) => unpackLines(await bytesOf(bucket, key))))).flat();
}

export async function recordsOf<T = Record<string, unknown>>(bucket: string, prefix: string): Promise<T[]> {
  return (await linesOf(bucket, prefix)).map((line) => JSON.parse(line));
}

export async function jsonOf(bucket: string, key: string): Promise<unknown> {
  return JSON.parse(Buffer.from(await bytesOf(bucket, key)).toString());
}

/** Everything that lies on a topic of one partition, as Lambda would hand it over. */
export async function readTopic(topic: string): Promise<MSKRecord[]> {
  const admin = kafka.admin();
  await admin.connect();
  const [partition] = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const end = Number(partition?.high);
  const records: MSKRecord[] = [];
  if (end === 0) return records;
  const consumer = kafka.consumer({ groupId: `reader-${randomUUID()}` });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer
        .run({
          eachMessage: async ({ message }) => {
            records.push(toMskRecord(topic, 0, message));
            if (Number(message.offset) === end - 1) resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return records;
}

export const eventOf = (records: readonly MSKRecord[]): MSKEvent =>
  toMskEvent(records, {
    eventSourceArn: 'arn:aws:kafka:us-east-1:0:cluster/test/1',
    bootstrapServers: 'test:9092',
  });

/** An event of these values, produced to one partition of a topic that only the event knows. */
export function eventOfValues(values: readonly (string | Buffer | Ticker | null)[]): MSKEvent {
  return eventOf(
    values.map((value, offset) =>
      toMskRecord('tickers', 0, {
        key: null,
        value:
          value === null || Buffer.isBuffer(value)
            ? value
            : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
        timestamp: '1772366400999',
        attributes: 0,
        offset: String(offset),
        headers: {},
      }),
    ),
  );
}

/** A record’s value as it was produced. */
export const producedText = ({ value }: MSKRecord): string => Buffer.from(value, 'base64').toString();
