import { describe, expect, it } from 'vitest';
import { deadlineOf, pollBudget, SlotOverError } from '../../../../core/runtime/budgets.ts';

const SLOT_MS = Date.parse('2026-03-01T12:00:00.000Z');

describe('an invocation’s deadline', () => {
  it('leaves the reserve', () => {
    expect(deadlineOf(60_000, 1_000_000, 5_000)).toBe(1_055_000);
  });

  it('leaves a quarter if time is short', () => {
    expect(deadlineOf(4_000, 1_000_000, 5_000)).toBe(1_003_000);
  });
});

describe('a poll’s budget', () => {
  it('leaves time for the lake and the stream after the exchange, and then for the marker', () => {
    const budget = pollBudget({ now: SLOT_MS, remainingMs: 60_000, slotMs: SLOT_MS });
    expect(budget).toEqual({
      fetchDeadlineMs: SLOT_MS + 45_000,
      deadlineMs: SLOT_MS + 57_000,
      finishMs: SLOT_MS + 59_500,
    });
  });

  it('ends before the next slot begins, however much time the invocation has', () => {
    const times = {
      now: SLOT_MS + 90_000,
      remainingMs: 600_000,
      slotMs: SLOT_MS,
      samplingIntervalMs: 120_000,
    };
    const { fetchDeadlineMs, deadlineMs } = pollBudget(times);
    expect(fetchDeadlineMs).toBe(SLOT_MS + 105_000);
    expect(deadlineMs).toBe(SLOT_MS + 117_000);
  });

  it('accepts any slot, however old, if the interval is not known', () => {
    const budget = pollBudget({ now: SLOT_MS + 1e12, remainingMs: 60_000, slotMs: SLOT_MS });
    expect(budget.deadlineMs).toBe(SLOT_MS + 1e12 + 57_000);
  });

  it.each([119_000, 120_000, 500_000])(
    'refuses a poll that begins %d ms after its slot of 120 s',
    (lateMs) => {
      const times = {
        now: SLOT_MS + lateMs,
        remainingMs: 60_000,
        slotMs: SLOT_MS,
        samplingIntervalMs: 120_000,
      };
      expect(() => pollBudget(times)).toThrow(SlotOverError);
      expect(() => pollBudget(times)).toThrow(
        'slot 2026-03-01T12:00:00.000Z ends at 2026-03-01T12:02:00.000Z. The next poll replaces it.',
      );
    },
  );
});
