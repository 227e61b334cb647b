import { setTimeout as wait } from 'node:timers/promises';

export interface WatchScheduleOptions {
  /** Calls the watch function. */
  invoke: (event: { now?: string }) => Promise<unknown>;
  /** The replay's clock, epoch ms; undefined for real time. */
  now: () => number | undefined;
  onFailed: (error: unknown) => void;
  /** Before the first call, until there is some data. @default 5,000 */
  firstMs?: number;
  /** @default 60,000, as on AWS */
  everyMs?: number;
}

/** Stands in for the schedule of the watch function: calls it every minute. */
export interface WatchSchedule {
  /** Makes no further calls, and waits for the current one. */
  stop(): Promise<void>;
}

export function watchEachMinute({
  invoke,
  now,
  onFailed,
  firstMs = 5_000,
  everyMs = 60_000,
}: WatchScheduleOptions): WatchSchedule {
  const end = new AbortController();
  const run = async () => {
    for (let pauseMs = firstMs; ; pauseMs = everyMs) {
      await wait(pauseMs, undefined, { signal: end.signal }).catch(() => {});
      if (end.signal.aborted) return;
      const nowMs = now();
      await invoke(nowMs === undefined ? {} : { now: new Date(nowMs).toISOString() }).catch(onFailed);
    }
  };
  const running = run();
  return {
    stop() {
      end.abort();
      return running;
    },
  };
}
