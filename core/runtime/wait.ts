import { setTimeout as wait } from 'node:timers/promises';

/** Waits for the work to end, well or badly, but no longer than this. */
export async function waitAtMost(ms: number, work: Promise<unknown>): Promise<void> {
  const ended = new AbortController();
  await Promise.race([work, wait(ms, undefined, { signal: ended.signal })]).catch(() => {});
  ended.abort();
}
