import { describe, expect, it, vi } from 'vitest';
import { PartitionOffsets } from '../../../../local/event-sources/partition-offsets.ts';

const at = (committed: number, low: number, high: number) => [{ partition: 0, committed, low, high }];

describe('the offsets of an event source', () => {
  it('start at what is committed, or at the oldest record', () => {
    const offsets = new PartitionOffsets(() => {});
    offsets.resume(at(-1, 3, 9), offsets.handled());
    expect([offsets.handledUpTo(0), offsets.lagRecords()]).toEqual([3, 6]);
    offsets.resume(at(7, 3, 9), offsets.handled());
    expect([offsets.handledUpTo(0), offsets.lagRecords()]).toEqual([7, 2]);
  });

  it('keep what was handled but not committed before the group was joined again', () => {
    const offsets = new PartitionOffsets(() => {});
    offsets.advance(new Map([[0, 8]]));
    offsets.resume(at(5, 0, 9), offsets.handled());
    expect(offsets.handledUpTo(0)).toBe(8);
  });

  it('start anew when the topic was replaced', () => {
    const offsets = new PartitionOffsets(() => {});
    offsets.advance(new Map([[0, 8]]));
    offsets.resume(at(-1, 0, 2), offsets.handled());
    expect([offsets.handledUpTo(0), offsets.lagRecords()]).toEqual([0, 2]);
  });

  it('do not go back when records are handled while the broker is asked', () => {
    const onChange = vi.fn();
    const offsets = new PartitionOffsets(onChange);
    const before = offsets.handled();
    offsets.advance(new Map([[0, 12]]));
    offsets.resume(at(2, 0, 10), before);
    expect([offsets.handledUpTo(0), offsets.lagRecords()]).toEqual([12, 0]);
    expect(onChange).toHaveBeenCalledTimes(2);
  });
});
