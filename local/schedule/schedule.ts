import { setTimeout as wait } from 'node:timers/promises';
import type { PollReport } from '../../core/ingest/report.ts';
import { backoffMs } from '../event-sources/batch-processing.ts';
import type { Slots } from './slots.ts';

const RETRY_BACKOFF = { initialMs: 250, maxMs: 10_000 };

export interface ScheduleOptions {
  slots: Slots;
  /** Calls the ingest function with the scheduler's input. */
  invoke: (event: { slot: string }) => Promise<PollReport>;
  /** Awaited before the next poll. `startedMs` is when the poll began, epoch ms. */
  onPolled: (report: PollReport, startedMs: number) => Promise<void>;
  onFailed: (slot: string, error: unknown) => void;
  signal: AbortSignal;
}

/**
 * Stands in for EventBridge Scheduler and Lambda's asynchronous invocation: calls the ingest function with each slot, one
 * poll at a time (its reserved concurrency is 1), and retries failed ones, until the slots end or the signal aborts.
 * Unlike on AWS there is no dead-letter queue: a slot that is given up is only reported.
 */
export async function runSchedule({
  slots,
  invoke,
  onPolled,
  onFailed,
  signal,
}: ScheduleOptions): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    const next = slots.next();
    if (!next) return;
    const retryInMs = failures > 0 ? backoffMs(failures, RETRY_BACKOFF) : 0;
    if (!(await waited(Math.max(next.dueMs - Date.now(), retryInMs), signal))) return;
    const startedMs = Date.now();
    slots.begin(next.slotMs);
    const slot = new Date(next.slotMs).toISOString();
    try {
      const report = await invoke({ slot });
      failures = 0;
      slots.done(next.slotMs);
      await onPolled(report, startedMs);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      onFailed(slot, error);
      slots.failed(next.slotMs);
    }
  }
}

/** False if the signal ended the wait. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  if (ms <= 0) return !signal.aborted;
  return wait(ms, true, { signal }).catch(() => false);
}
