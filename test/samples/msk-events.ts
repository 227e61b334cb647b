import type { MSKRecord } from 'aws-lambda';
import type { Ticker } from '../../core/market/ticker.ts';

/** A record as Lambda delivers it; `value` is what was produced, or null for a record without a value. */
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
