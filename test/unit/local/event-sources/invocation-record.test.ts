import type { MSKRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { invocationRecord, invocationRecordKey } from '../../../../local/event-sources/invocation-record.ts';

const now = new Date('2026-11-24T08:09:10.123Z');
const context = {
  eventSourceArn: 'arn:aws:kafka:local:0:cluster/local/0',
  bootstrapServers: '127.0.0.1:9092',
  functionName: 'index',
  requestId: 'a-request',
  now,
};
const records = [
  [0, 7],
  [0, 8],
  [1, 3],
].map(
  ([partition, offset]) =>
    ({
      topic: 'tickers',
      partition,
      offset,
      timestamp: Date.parse('2026-11-24T08:00:00Z'),
      value: 'eA==',
    }) as MSKRecord,
);

describe('the invocation record', () => {
  it('says what happened to which records, with the event as JSON text', () => {
    const discard = { condition: 'RetryAttemptsExhausted', invokeCount: 3, error: new Error('no') } as const;
    const record = invocationRecord(records, discard, context);
    expect(record).toMatchObject({
      requestContext: {
        requestId: 'a-request',
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 3,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: '2026-11-24T08:09:10.123Z',
      KafkaBatchInfo: {
        batchSize: 3,
        bootstrapServers: '127.0.0.1:9092',
        payloadSize: record.payload.length,
        recordsInfo: {
          'tickers-0': {
            firstRecordOffset: '7',
            lastRecordOffset: '8',
            firstRecordTimestamp: '2026-11-24T08:00:00.000Z',
            lastRecordTimestamp: '2026-11-24T08:00:00.000Z',
          },
          'tickers-1': { firstRecordOffset: '3', lastRecordOffset: '3' },
        },
      },
    });
    expect(JSON.parse(record.payload).records).toEqual({
      'tickers-0': records.slice(0, 2),
      'tickers-1': [records[2]],
    });
  });

  it('has no response if the function was never called', () => {
    const discard = { condition: 'MaximumPayloadSizeExceeded', invokeCount: 0 } as const;
    expect(invocationRecord(records, discard, context).responseContext).toBeNull();
  });

  it('has a unique key by mapping, topic and day', () => {
    const key = invocationRecordKey('index-group', 'tickers', now);
    expect(key).toMatch(
      /^aws\/lambda\/index-group\/tickers\/2026\/11\/24\/2026-11-24T08\.09\.10-[0-9a-f-]{36}$/,
    );
    expect(invocationRecordKey('index-group', 'tickers', now)).not.toBe(key);
  });
});
