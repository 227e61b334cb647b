import { TaskCancelledError, TimeoutStrategy, timeout } from 'cockatiel';

/**
 * Waits for the work, but no longer than this. Late work carries on unobserved.
 * @throws what `lateError` makes once the time is up
 */
export async function withinTime<T>(ms: number, work: Promise<T>, lateError: () => Error): Promise<T> {
  try {
    return await timeout(Math.max(0, ms), TimeoutStrategy.Aggressive).execute(() => work);
  } catch (error) {
    throw error instanceof TaskCancelledError ? lateError() : error;
  }
}

/** Waits for the work to end, well or badly, but no longer than this. */
export async function waitAtMost(ms: number, work: Promise<unknown>): Promise<void> {
  await withinTime(ms, work, () => new Error('late')).catch(() => {});
}
