import { randomUUID } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { MSKRecord } from 'aws-lambda';
import { type EventOrigin, partitionKey, toMskEvent } from './batch.ts';
import type { Discard } from './batch-processing.ts';

/** The bucket that receives the records which the mapping gave up. */
export interface S3Destination {
  readonly s3Url: string;
  readonly bucket: string;
}

export interface InvocationRecordContext extends EventOrigin {
  readonly functionName: string;
  readonly requestId: string;
  readonly now: Date;
}

interface RecordsInfo {
  firstRecordOffset: string;
  lastRecordOffset: string;
  firstRecordTimestamp: string;
  lastRecordTimestamp: string;
}

/**
 * What Lambda writes to an S3 on-failure destination of a Kafka mapping: what happened, which records, and
 * in `payload` the whole event as a JSON string.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html
 */
export function invocationRecord(
  records: readonly MSKRecord[],
  discard: Discard,
  context: InvocationRecordContext,
) {
  const payload = JSON.stringify(toMskEvent(records, context));
  const wasInvoked = discard.invokeCount > 0;
  return {
    requestContext: {
      requestId: context.requestId,
      functionArn: `arn:aws:lambda:local:000000000000:function:${context.functionName}`,
      condition: discard.condition,
      approximateInvokeCount: discard.invokeCount,
    },
    responseContext: wasInvoked
      ? {
          statusCode: 200,
          executedVersion: '$LATEST',
          functionError: discard.error === undefined ? null : 'Unhandled',
        }
      : null,
    version: '1.0',
    timestamp: context.now.toISOString(),
    KafkaBatchInfo: {
      batchSize: records.length,
      eventSourceArn: context.eventSourceArn,
      bootstrapServers: context.bootstrapServers,
      payloadSize: Buffer.byteLength(payload),
      recordsInfo: recordsInfo(records),
    },
    payload,
  };
}

/**
 * `aws/lambda/<mapping>/<topic>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>`: the naming that AWS documents for
 * streams, with the topic in the place of the shard, because a batch may span partitions.
 */
export function invocationRecordKey(mapping: string, topic: string, now: Date): string {
  const [day, time] = now.toISOString().slice(0, 19).split('T') as [string, string];
  return `aws/lambda/${mapping}/${topic}/${day.replaceAll('-', '/')}/${day}T${time.replaceAll(':', '.')}-${randomUUID()}`;
}

/** Writes invocation records to an S3 server that asks for no real credentials. */
export class OnFailureBucket {
  readonly #bucket: string;
  readonly #s3: S3Client;

  constructor({ s3Url, bucket }: S3Destination) {
    this.#bucket = bucket;
    this.#s3 = new S3Client({
      endpoint: s3Url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      // Not every S3 server reads the trailing checksums that the SDK adds by default.
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
  }

  /** @returns the URI of the object. Rejects with the SDK's error when the server refuses or is away. */
  async put(key: string, record: ReturnType<typeof invocationRecord>): Promise<string> {
    await this.#s3.send(
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        Body: JSON.stringify(record),
        ContentType: 'application/json',
      }),
    );
    return `s3://${this.#bucket}/${key}`;
  }

  close(): void {
    this.#s3.destroy();
  }
}

function recordsInfo(records: readonly MSKRecord[]): Record<string, RecordsInfo> {
  const info: Record<string, RecordsInfo> = {};
  for (const record of records) {
    const offset = String(record.offset);
    const timestamp = new Date(record.timestamp).toISOString();
    const key = partitionKey(record);
    const entry = info[key];
    if (entry) {
      entry.lastRecordOffset = offset;
      entry.lastRecordTimestamp = timestamp;
    } else {
      info[key] = {
        firstRecordOffset: offset,
        lastRecordOffset: offset,
        firstRecordTimestamp: timestamp,
        lastRecordTimestamp: timestamp,
      };
    }
  }
  return info;
}
