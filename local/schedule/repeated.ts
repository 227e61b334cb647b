import { setTimeout as wait } from 'node:timers/promises';

export interface RepeatedCallOptions {
  /** Calls the function. */
  call: () => Promise<unknown>;
  onFailed: (error: unknown) => void;
  /** Before the first call. @default everyMs */
  firstMs?: number;
  /** Between the end of a call and the next one. @default 60,000 */
  everyMs?: number;
}

/** Stands in for a schedule that calls a function again and again. */
export interface RepeatedCall {
  /** Makes no further calls, and waits for the current one. */
  stop(): Promise<void>;
}

export function callRepeatedly(options: RepeatedCallOptions): RepeatedCall {
  const { call, onFailed, everyMs = 60_000, firstMs = everyMs } = options;
  const end = new AbortController();
  const run = async () => {
    for (let pauseMs = firstMs; ; pauseMs = everyMs) {
      await wait(pauseMs, undefined, { signal: end.signal }).catch(() => {});
      if (end.signal.aborted) return;
      await call().catch(onFailed);
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
