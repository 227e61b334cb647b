import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toMskEvent } from '../../../../local/event-sources/batch.ts';
import { RecordQueue } from '../../../../local/event-sources/record-queue.ts';
import { origin, record } from './records.ts';

describe('the record queue', () => {
  it('returns batches up to the record limit, first in, first out', () => {
    const queue = new RecordQueue({ maxRecords: 2, maxPayloadBytes: 1e6 }, origin);
    for (const offset of [5, 6, 7]) queue.push(record(1, offset), 0);
    expect(queue.take()?.records.map(({ offset }) => offset)).toEqual([5, 6]);
    expect(queue.take()?.records.map(({ offset }) => offset)).toEqual([7]);
    expect(queue.take()).toBeUndefined();
  });

  it('never lets two records of 4 MB share an event of 6 MB', () => {
    const queue = new RecordQueue({ maxRecords: 100, maxPayloadBytes: 6 * 1024 * 1024 }, origin);
    for (const offset of [0, 1]) queue.push(record(0, offset, 3 * 1024 * 1024), 0);
    expect(queue.take()?.records).toHaveLength(1);
    expect(queue.take()?.records).toHaveLength(1);
  });

  it('returns a record above the limit alone, with its real size', () => {
    const queue = new RecordQueue({ maxRecords: 100, maxPayloadBytes: 1_000 }, origin);
    queue.push(record(0, 0, 2_000), 0);
    queue.push(record(0, 1), 0);
    const first = queue.take();
    expect(first?.records).toHaveLength(1);
    expect(first?.payloadBytes).toBeGreaterThan(1_000);
    expect(queue.take()?.payloadBytes).toBeLessThanOrEqual(1_000);
  });

  it('waits until a batch is full or its window is over', async () => {
    const queue = new RecordQueue({ maxRecords: 2, maxPayloadBytes: 1e6, windowMs: 3_600_000 }, origin);
    queue.push(record(0, 0), Date.now());
    const { signal } = new AbortController();
    const full = queue.next(signal);
    queue.push(record(0, 1), Date.now());
    expect((await full)?.records).toHaveLength(2);
    queue.push(record(0, 2), Date.now() - 3_600_000);
    expect((await queue.next(signal))?.records).toHaveLength(1);
    expect(await queue.next(AbortSignal.timeout(1))).toBeUndefined();
  });

  it('counts full batches', () => {
    const queue = new RecordQueue({ maxRecords: 2, maxPayloadBytes: 1e6 }, origin);
    queue.push(record(0, 0), 0);
    expect(queue.holdsBatches(1)).toBe(false);
    queue.push(record(0, 1), 0);
    expect([queue.holdsBatches(1), queue.holdsBatches(2)]).toEqual([true, false]);
  });

  it('keeps every record once, in order, and within the limits, whatever their sizes', () => {
    const sizes = fc.array(fc.nat(900), { maxLength: 60 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 9 }), (input, maxRecords) => {
        const maxPayloadBytes = 2_000;
        const queue = new RecordQueue({ maxRecords, maxPayloadBytes }, origin);
        const pushed = input.map((bytes, index) => record(1, index, bytes));
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
