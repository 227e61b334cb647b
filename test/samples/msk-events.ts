import type { MSKEvent, MSKRecord } from 'aws-lambda';
import type { Ticker } from '../../core/market/ticker.ts';

/** A record as Lambda hands it over; `value` is what was produced, or null for a record without one. */
export function mskRecord(value: string | Buffer | Ticker | null, given: Partial<MSKRecord> = {}): MSKRecord {
  const bytes = typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value);
  return {
    topic: 'tickers',
    partition: 0,
    offset: 0,
    timestamp: 1772366400999,
    timestampType: 'CREATE_TIME',
    key: 'Yg==',
    value: value === null ? (null as unknown as string) : Buffer.from(bytes).toString('base64'),
    headers: [],
    ...given,
  };
}

/** An event of these records, each in its partition's list. */
export function mskEvent(records: readonly MSKRecord[]): MSKEvent {
  const byPartition: MSKEvent['records'] = {};
  for (const record of records) {
    const key = `${record.topic}-${record.partition}`;
    byPartition[key] = [...(byPartition[key] ?? []), record];
  }
  return {
    eventSource: 'aws:kafka',
    eventSourceArn: 'arn:aws:kafka:eu-central-1:123456789012:cluster/c/1',
    bootstrapServers: 'b-1.example:9098',
    records: byPartition,
  };
}
