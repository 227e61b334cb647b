import { describe, expect, it } from 'vitest';
import type { PollReport } from '../../../../core/ingest/report.ts';
import { runSchedule } from '../../../../local/schedule/schedule.ts';
import type { Slots } from '../../../../local/schedule/slots.ts';

/** Slots 1 … count, due at once; a failed one is returned again. */
function countedSlots(count: number): Slots {
  let next = 1;
  return {
    next: () => (next <= count ? { slotMs: next, dueMs: 0 } : undefined),
    begin: () => {},
    done: () => {
      next += 1;
    },
    failed: () => {},
  };
}

const reportOf = (slot: string) => ({ slot }) as PollReport;

describe('the schedule', () => {
  it('polls each slot once, one at a time, until the slots end', async () => {
    const polled: string[] = [];
    let underWay = 0;
    await runSchedule({
      slots: countedSlots(3),
      invoke: async ({ slot }) => {
        underWay += 1;
        expect(underWay).toBe(1);
        await Promise.resolve();
        underWay -= 1;
        return reportOf(slot);
      },
      onPolled: async (report) => void polled.push(report.slot),
      onFailed: () => {},
      signal: new AbortController().signal,
    });
    expect(polled).toEqual([1, 2, 3].map((ms) => new Date(ms).toISOString()));
  });

  it('retries a failed slot', async () => {
    const failed: string[] = [];
    let attempts = 0;
    await runSchedule({
      slots: countedSlots(1),
      invoke: async ({ slot }) => {
        attempts += 1;
        if (attempts === 1) throw new Error('the store is unavailable');
        return reportOf(slot);
      },
      onPolled: async () => {},
      onFailed: (slot) => void failed.push(slot),
      signal: new AbortController().signal,
    });
    expect(attempts).toBe(2);
    expect(failed).toEqual([new Date(1).toISOString()]);
  });

  it('stops waiting when the signal aborts', async () => {
    const end = new AbortController();
    const running = runSchedule({
      slots: { ...countedSlots(1), next: () => ({ slotMs: 1, dueMs: Date.now() + 3_600_000 }) },
      invoke: async ({ slot }) => reportOf(slot),
      onPolled: async () => {},
      onFailed: () => {},
      signal: end.signal,
    });
    end.abort();
    await expect(running).resolves.toBeUndefined();
  });
});
