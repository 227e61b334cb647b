import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bisect,
  nextOffsets,
  RecordQueue,
  toMskEvent,
  toMskRecord,
} from '../../../../local/event-sources/batch.ts';

const origin = {
  eventSourceArn: 'arn:aws:kafka:local:0:cluster/local/0',
  bootstrapServers: '127.0.0.1:9092',
};

function record(partition: number, offset: number, valueBytes = 10) {
  return toMskRecord('tickers', partition, {
    key: Buffer.from(`key-${partition}`),
    value: Buffer.alloc(valueBytes, 'x'),
    offset: String(offset),
    timestamp: '1700000000000',
    attributes: 0,
    headers: { 'trace-é': Buffer.from('1') },
  });
}

describe('an MSK event', () => {
  it('has the shape that Lambda sends', () => {
    const message = {
      key: Buffer.from('bybit:linear:BTCUSDT'),
      value: Buffer.from('{"v":1}'),
      offset: '42',
      timestamp: '1545084650987',
      attributes: 0,
      headers: { one: Buffer.from('a'), many: ['b', Buffer.from([200])] },
    };
    expect(toMskEvent([toMskRecord('tickers', 0, message)], origin)).toEqual({
      eventSource: 'aws:kafka',
      eventSourceArn: origin.eventSourceArn,
      bootstrapServers: '127.0.0.1:9092',
      records: {
        'tickers-0': [
          {
            topic: 'tickers',
            partition: 0,
            offset: 42,
            timestamp: 1545084650987,
            timestampType: 'CREATE_TIME',
            key: 'YnliaXQ6bGluZWFyOkJUQ1VTRFQ=',
            value: 'eyJ2IjoxfQ==',
            headers: [{ one: [97] }, { many: [98] }, { many: [200] }],
          },
        ],
      },
    });
  });

  it('leaves out a null key and a null value', () => {
    const tombstone = { key: null, value: null, offset: '0', timestamp: '0', attributes: 0 };
    const converted = toMskRecord('tickers', 0, { ...tombstone, headers: {} });
    expect(converted).not.toHaveProperty('key');
    expect(converted).not.toHaveProperty('value');
  });
});

describe('the record queue', () => {
  it('gives batches of at most the record limit, first in, first out', () => {
    const queue = new RecordQueue({ maxRecords: 2, maxPayloadBytes: 1e6 }, origin);
    for (const [partition, offset] of [
      [0, 5],
      [1, 0],
      [0, 6],
    ] as const)
      queue.push(record(partition, offset), 0);

    expect(queue.take()?.records.map((r) => [r.partition, r.offset])).toEqual([
      [0, 5],
      [1, 0],
    ]);
    expect(queue.take()?.records.map((r) => [r.partition, r.offset])).toEqual([[0, 6]]);
    expect(queue.take()).toBeUndefined();
  });

  it('never lets two records of 4 MB share an event of 6 MB', () => {
    const queue = new RecordQueue({ maxRecords: 100, maxPayloadBytes: 6 * 1024 * 1024 }, origin);
    for (const offset of [0, 1]) queue.push(record(0, offset, 3 * 1024 * 1024), 0);
    expect(queue.take()?.records).toHaveLength(1);
    expect(queue.take()?.records).toHaveLength(1);
  });

  it('hands over a record above the limit alone, and its size says so', () => {
    const queue = new RecordQueue({ maxRecords: 100, maxPayloadBytes: 1_000 }, origin);
    queue.push(record(0, 0, 2_000), 0);
    queue.push(record(0, 1), 0);
    const first = queue.take();
    expect(first?.records).toHaveLength(1);
    expect(first?.payloadBytes).toBeGreaterThan(1_000);
    expect(queue.take()?.payloadBytes).toBeLessThanOrEqual(1_000);
  });

  it('knows how long its oldest record waits and whether a full batch is there', () => {
    const queue = new RecordQueue({ maxRecords: 2, maxPayloadBytes: 1e6 }, origin);
    expect(queue.oldestArrivalMs).toBeUndefined();
    queue.push(record(0, 0), 1_000);
    expect(queue.holdsFullBatch).toBe(false);
    queue.push(record(0, 1), 2_000);
    expect(queue.oldestArrivalMs).toBe(1_000);
    expect(queue.holdsFullBatch).toBe(true);
    queue.clear();
    expect([queue.records, queue.holdsFullBatch]).toEqual([0, false]);
  });

  it('keeps every record once, in order, and within the limits, whatever their sizes', () => {
    const sizes = fc.array(fc.record({ partition: fc.nat(3), bytes: fc.nat(900) }), { maxLength: 60 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 9 }), (input, maxRecords) => {
        const maxPayloadBytes = 2_000;
        const queue = new RecordQueue({ maxRecords, maxPayloadBytes }, origin);
        const pushed = input.map(({ partition, bytes }, index) => record(partition, index, bytes));
        for (const one of pushed) queue.push(one, 0);
        const taken = [];
        for (let batch = queue.take(); batch; batch = queue.take()) {
          const size = Buffer.byteLength(JSON.stringify(toMskEvent(batch.records, origin)));
          expect(size).toBeLessThanOrEqual(batch.payloadBytes);
          expect(batch.payloadBytes).toBeLessThanOrEqual(maxPayloadBytes);
          expect(batch.payloadBytes - size).toBeLessThan(10);
          expect(batch.records.length).toBeLessThanOrEqual(maxRecords);
          taken.push(...batch.records);
        }
        expect(taken).toEqual(pushed);
      }),
    );
  });
});

it('bisects into two halves that together are the batch, the first one larger', () => {
  const records = [0, 1, 2].map((offset) => record(0, offset));
  const [first, second] = bisect(records);
  expect([first.length, second.length]).toEqual([2, 1]);
  expect([...first, ...second]).toEqual(records);
});

it('commits the offset after the highest of each partition', () => {
  expect(nextOffsets([record(0, 4), record(1, 9), record(0, 5)])).toEqual(
    new Map([
      [0, 6],
      [1, 10],
    ]),
  );
});
