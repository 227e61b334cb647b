import { toMskRecord } from '../../../../local/event-sources/batch.ts';

export const origin = {
  eventSourceArn: 'arn:aws:kafka:local:0:cluster/local/0',
  bootstrapServers: '127.0.0.1:9092',
};

export function record(partition: number, offset: number, valueBytes = 10) {
  return toMskRecord('tickers', partition, {
    key: Buffer.from(`key-${partition}`),
    value: Buffer.alloc(valueBytes, 'x'),
    offset: String(offset),
    timestamp: '1700000000000',
    attributes: 0,
    headers: { 'trace-é': Buffer.from('1') },
  });
}
