import { describe, expect, it } from 'vitest';
import { batchMetrics } from '../../../../core/index/batch-metrics.ts';

const NOON_MS = Date.parse('2026-03-01T12:00:00.000Z');

const POSITION = { topic: 'tickers', partition: 0, offset: 7 };
const records = [
  { ...POSITION, value: 'YWJj', timestamp: NOON_MS - 1_000 },
  { ...POSITION, value: 'YWJjZGVm', timestamp: NOON_MS - 3_000 },
  { ...POSITION, value: null, timestamp: NOON_MS },
];
const REPORT = { records: 3, indexed: 1, alreadyThere: 1, deadLetters: 1, unstored: [] };
const ended = { records, report: REPORT, retried: 4, openSearchMs: 250, endedMs: NOON_MS + 500 };

describe('the metrics of a batch', () => {
  it('count its records by outcome and its bytes in base64', () => {
    expect(batchMetrics(ended)).toEqual({
      RecordsReceived: 3,
      DocumentsIndexed: 1,
      DocumentsAlreadyThere: 1,
      DocumentsRetried: 4,
      DeadLetters: 1,
      RecordsUnstored: 0,
      BatchBytes: 12,
      OpenSearchDuration: 250,
      EventAge: 3_500,
    });
  });

  it('count all records as unstored if the batch threw', () => {
    expect(batchMetrics({ ...ended, report: undefined })).toMatchObject({
      RecordsReceived: 3,
      DocumentsIndexed: 0,
      RecordsUnstored: 3,
      DocumentsRetried: 4,
    });
  });

  it('count the records that have to be delivered again', () => {
    expect(batchMetrics({ ...ended, report: { ...REPORT, unstored: [POSITION] } }).RecordsUnstored).toBe(1);
  });

  it('have no age if no record has a timestamp', () => {
    expect(
      batchMetrics({ ...ended, records: [{ ...POSITION, value: 'YQ==', timestamp: -1 }] }).EventAge,
    ).toBe(undefined);
  });
});
