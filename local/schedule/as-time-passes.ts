import { setTimeout as wait } from 'node:timers/promises';

export interface PassingOptions {
  /** How often the schedule calls: each time the clock passes a multiple of it. */
  everyMs: number;
  /** Calls the function. */
  invoke: (event: { now: string }) => Promise<{ done: boolean }>;
  onFailed: (error: unknown) => void;
  /** Whether the first time counts as passed. Otherwise the schedule waits for the next. @default true */
  firstCounts?: boolean;
  /** Between two calls, so that a fast replay has several hours done at once. @default 1,000 */
  pauseMs?: number;
}

/** Stands in for the schedule of a function: calls it when the pipeline's clock passes an hour, or a day. */
export interface PassingSchedule {
  /** The clock is at `nowMs` (epoch ms), and everything polled until then is indexed. Does not wait. */
  passed(nowMs: number): void;
  /**
   * Waits until the function has done all that has passed.
   * @throws the error of the last call
   */
  settled(): Promise<void>;
  /** Makes no further calls, and waits for the current one. */
  stop(): Promise<void>;
}

/** Makes one call at a time; the next one covers what has passed since, and what failed. */
export function callAsTimePasses(options: PassingOptions): PassingSchedule {
  const { everyMs, invoke, onFailed, firstCounts = true, pauseMs = 1_000 } = options;
  let nowMs = Number.NEGATIVE_INFINITY;
  let doneMs = Number.NEGATIVE_INFINITY;
  let current: Promise<void> | undefined;
  let stopped = false;
  /** Ends the pause between two calls. */
  let hurry = new AbortController();

  const startOf = (ms: number) => Math.floor(ms / everyMs) * everyMs;
  const isDue = () => !stopped && startOf(nowMs) > doneMs;
  const call = async () => {
    const dueMs = startOf(nowMs);
    const { done } = await invoke({ now: new Date(nowMs).toISOString() });
    if (done) doneMs = dueMs;
  };
  const run = async () => {
    while (isDue()) {
      await call();
      await wait(pauseMs, undefined, { signal: hurry.signal }).catch(() => {});
    }
  };

  return {
    passed(ms) {
      if (nowMs === Number.NEGATIVE_INFINITY && !firstCounts) doneMs = startOf(ms);
      nowMs = Math.max(nowMs, ms);
      if (current || !isDue()) return;
      hurry = new AbortController();
      current = run()
        .catch(onFailed)
        .finally(() => {
          current = undefined;
        });
    },
    async settled() {
      hurry.abort();
      await current;
      while (isDue()) await call();
    },
    async stop() {
      stopped = true;
      hurry.abort();
      await current;
    },
  };
}
