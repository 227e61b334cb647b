import type { MSKRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { readBatchResponse } from '../../../../local/event-sources/batch-response.ts';

const batch = [
  [0, 10],
  [0, 11],
  [0, 12],
  [1, 5],
  [1, 6],
].map(([partition, offset]) => ({ topic: 'tickers', partition, offset }) as MSKRecord);

const failing = (...items: [partition: unknown, offset: unknown][]) => ({
  batchItemFailures: items.map(([partition, offset]) => ({ itemIdentifier: { partition, offset } })),
});

describe('a batch response', () => {
  it.each([
    ['null', null],
    ['undefined', undefined],
    ['an empty object', {}],
    ['a null list', { batchItemFailures: null }],
    ['an empty list', { batchItemFailures: [] }],
    ['an object about something else', { indexed: 5 }],
  ])('of %s means success', (_, response) => {
    expect(readBatchResponse(response, batch)).toEqual({ kind: 'succeeded' });
  });

  it('retries a partition from its lowest failed offset and leaves the others done', () => {
    expect(readBatchResponse(failing(['tickers-0', 12], ['tickers-0', 11]), batch)).toEqual({
      kind: 'partlyFailed',
      done: [batch[0], batch[3], batch[4]],
      remaining: [batch[1], batch[2]],
    });
  });

  it.each([
    ['a text', 'ok'],
    ['a list that is no list', { batchItemFailures: 'tickers-0' }],
    ['an identifier as Kinesis has it', { batchItemFailures: [{ itemIdentifier: '11' }] }],
    [
      'an identifier with a wrong key',
      { batchItemFailures: [{ itemId: { partition: 'tickers-0', offset: 10 } }] },
    ],
    ['an empty partition', failing(['', 10])],
    ['an offset as text', failing(['tickers-0', '10'])],
    ['a null identifier', { batchItemFailures: [{ itemIdentifier: null }] }],
  ])('with %s fails the whole batch', (_, response) => {
    expect(readBatchResponse(response, batch)).toMatchObject({
      kind: 'unreadable',
      reason: expect.stringContaining('malformed'),
    });
  });

  it.each([
    ['a partition', failing(['tickers-7', 10])],
    ['an offset', failing(['tickers-0', 10], ['tickers-1', 99])],
  ])('naming %s outside the batch fails the whole batch', (_, response) => {
    expect(readBatchResponse(response, batch)).toMatchObject({ kind: 'unreadable' });
  });
});
