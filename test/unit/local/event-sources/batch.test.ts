import { describe, expect, it } from 'vitest';
import { bisect, nextOffsets, toMskEvent, toMskRecord } from '../../../../local/event-sources/batch.ts';
import { origin, record } from './records.ts';

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

  it('omits a null key and a null value', () => {
    const tombstone = { key: null, value: null, offset: '0', timestamp: '0', attributes: 0 };
    const converted = toMskRecord('tickers', 0, { ...tombstone, headers: {} });
    expect(converted).not.toHaveProperty('key');
    expect(converted).not.toHaveProperty('value');
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
