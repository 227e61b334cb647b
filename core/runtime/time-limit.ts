import { TaskCancelledError, TimeoutStrategy, timeout } from 'cockatiel';

/**
 * Waits for work, but no longer than `ms`. Late work carries on unobserved.
 * @throws what `lateError` makes once the time is up
 */
export async function withinTime<T>(ms: number, work: Promise<T>, lateError: () => Error): Promise<T> {
  try {
    return await timeout(Math.max(0, ms), TimeoutStrategy.Aggressive).execute(() => work);
  } catch (error) {
    throw error instanceof TaskCancelledError ? lateError() : error;
  }
}
