import { setTimeout as wait } from 'node:timers/promises';
import { hourOf } from '../../core/market/time.ts';
import type { SummariseReport } from '../../core/summarise/summarise.ts';

export interface SummaryScheduleOptions {
  /** Calls the summarise function. */
  invoke: (event: { now: string }) => Promise<Pick<SummariseReport, 'done'>>;
  onFailed: (error: unknown) => void;
  /** Between two calls, so that a fast replay has several hours summarised at once. @default 1,000 */
  pauseMs?: number;
}

/** Stands in for the hourly schedule of the summarise function: calls it when the pipeline's clock passes an hour. */
export interface SummarySchedule {
  /** The clock is at `nowMs` (epoch ms), and everything polled until then is indexed. Does not wait. */
  passed(nowMs: number): void;
  /**
   * Waits until every hour that has passed is summarised.
   * @throws the error of the last call
   */
  settled(): Promise<void>;
  /** Makes no further calls, and waits for the current one. */
  stop(): Promise<void>;
}

/** Makes one call at a time; the next one takes the hours that passed meanwhile, or failed. */
export function summariseAsTimePasses(options: SummaryScheduleOptions): SummarySchedule {
  const { invoke, onFailed, pauseMs = 1_000 } = options;
  let nowMs = Number.NEGATIVE_INFINITY;
  let summarisedMs = Number.NEGATIVE_INFINITY;
  let current: Promise<void> | undefined;
  let stopped = false;
  /** Ends the pause between two calls. */
  let hurry = new AbortController();

  const isDue = () => !stopped && hourOf(nowMs) > summarisedMs;
  const summarise = async () => {
    const hourMs = hourOf(nowMs);
    const { done } = await invoke({ now: new Date(nowMs).toISOString() });
    if (done) summarisedMs = hourMs;
  };
  const run = async () => {
    while (isDue()) {
      await summarise();
      await wait(pauseMs, undefined, { signal: hurry.signal }).catch(() => {});
    }
  };

  return {
    passed(ms) {
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
      while (isDue()) await summarise();
    },
    async stop() {
      stopped = true;
      hurry.abort();
      await current;
    },
  };
}
