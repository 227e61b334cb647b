import { randomUUID } from 'node:crypto';
import type { MSKRecord } from 'aws-lambda';
import { type EventOrigin, partitionKey, toMskEvent } from './batch.ts';
import type { Discard } from './batch-processing.ts';

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
 * What Lambda writes to the S3 on-failure destination of a Kafka mapping: what happened, to which records, and in
 * `payload` the whole event as a JSON string.
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
 * `aws/lambda/<mapping>/<topic>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>`: the naming that AWS documents for streams, with
 * the topic instead of the shard, because a batch may span partitions.
 */
export function invocationRecordKey(mapping: string, topic: string, now: Date): string {
  const [day, time] = now.toISOString().slice(0, 19).split('T') as [string, string];
  return `aws/lambda/${mapping}/${topic}/${day.replaceAll('-', '/')}/${day}T${time.replaceAll(':', '.')}-${randomUUID()}`;
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
