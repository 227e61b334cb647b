import { setTimeout as wait } from 'node:timers/promises';
import { hourOf } from '../../core/market/time.ts';
import type { SummariseReport } from '../../core/summarise/summarise.ts';

export interface SummaryScheduleOptions {
  /** Calls the summarise function. */
  invoke: (event: { now: string }) => Promise<Pick<SummariseReport, 'done'>>;
  onFailed: (error: unknown) => void;
  /** Between two calls, so that a replay, whose hours pass in a wink, has them summarised several at once. @default 1,000 */
  pauseMs?: number;
}

/** The stand-in for the hourly schedule of the summarise function: calls it when the pipeline's clock passes an hour. */
export interface SummarySchedule {
  /** The clock shows `nowMs` (epoch ms), and what was polled until then is indexed. Never waits. */
  passed(nowMs: number): void;
  /**
   * Fulfils when every hour that has passed is summarised.
   * @throws what the last call threw
   */
  settled(): Promise<void>;
  /** Begins no further call, and fulfils when the one under way has ended. */
  stop(): Promise<void>;
}

/** One call at a time; hours that pass meanwhile are left to the next one, and so is what failed. */
export function summariseAsTimePasses(options: SummaryScheduleOptions): SummarySchedule {
  const { invoke, onFailed, pauseMs = 1_000 } = options;
  let nowMs = Number.NEGATIVE_INFINITY;
  let summarisedMs = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;
  let stopped = false;
  /** Cuts a pause short. */
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
      if (underWay || !isDue()) return;
      hurry = new AbortController();
      underWay = run()
        .catch(onFailed)
        .finally(() => {
          underWay = undefined;
        });
    },
    async settled() {
      hurry.abort();
      await underWay;
      while (isDue()) await summarise();
    },
    async stop() {
      stopped = true;
      hurry.abort();
      await underWay;
    },
  };
}
