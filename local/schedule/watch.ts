import { setTimeout as wait } from 'node:timers/promises';

export interface WatchScheduleOptions {
  /** Calls the watch function. */
  invoke: (event: { now?: string }) => Promise<unknown>;
  /** The pipeline's clock, epoch ms; undefined for the clock on the wall. */
  now: () => number | undefined;
  onFailed: (error: unknown) => void;
  /** Until the first call: there is something to look at. @default 5,000 */
  firstMs?: number;
  /** @default 60,000, as in AWS */
  everyMs?: number;
}

/** The stand-in for the schedule of the watch function: calls it each minute of the clock on the wall. */
export interface WatchSchedule {
  /** Begins no further call, and fulfils when the one under way has ended. */
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
