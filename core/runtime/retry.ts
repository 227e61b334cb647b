import { DelegateBackoff, handleWhen, retry } from 'cockatiel';

export interface RetryOptions {
  /** No attempt starts after this time, epoch ms. */
  deadlineMs: number;
  /** Upper bound of the first wait. */
  initialDelayMs: number;
  /** Upper bound of every wait. */
  maxDelayMs: number;
  /** Whether the same call may succeed later. */
  isRetryable: (error: unknown) => boolean;
  /** When the other side asked not to be called before, epoch ms. @default not before the backoff */
  retryAtMs?: (error: unknown) => number | undefined;
  onRetry?: (retry: { attempt: number; delayMs: number; error: unknown }) => void;
  /** @default Date.now */
  now?: () => number;
  /** In [0, 1). @default Math.random */
  random?: () => number;
}

/**
 * Calls `attempt` until it succeeds, fails for good, or the next wait would pass the deadline. Waits grow exponentially
 * with full jitter: uniform in [0, min(max, initial · 2^n)], as in AWS's "Exponential Backoff And Jitter", but never
 * shorter than the other side asked for.
 * @throws the last error of `attempt` before the deadline; a later one only if it is final, or the first
 */
export function retryUntilDeadline<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { now = Date.now, random = Math.random } = options;
  let failures = 0;
  let delayMs = 0;
  let known: { error: unknown } | undefined;
  const isOver = () => now() >= options.deadlineMs;
  // A busy machine may wake us after the deadline, and the deadline may cut an attempt short. The failure
  // before says more than either.
  const attemptInTime = async () => {
    if (known && isOver()) throw known.error;
    try {
      return await attempt();
    } catch (error) {
      if (known && isOver() && options.isRetryable(error)) throw known.error;
      known = { error };
      throw error;
    }
  };
  // The random wait is chosen here, where we decide whether there is time for it. An attempt at the deadline
  // would only hide the previous error behind its own timeout.
  const hasTimeFor = (error: unknown) => {
    const ceilingMs = Math.min(options.maxDelayMs, options.initialDelayMs * 2 ** failures);
    failures += 1;
    const askedMs = Math.max(0, (options.retryAtMs?.(error) ?? 0) - now());
    delayMs = askedMs + random() * ceilingMs;
    return now() + delayMs < options.deadlineMs;
  };
  const policy = retry(
    handleWhen((error) => options.isRetryable(error) && hasTimeFor(error)),
    { maxAttempts: Number.POSITIVE_INFINITY, backoff: new DelegateBackoff(() => delayMs) },
  );
  policy.onRetry((reason) => {
    if ('error' in reason) {
      options.onRetry?.({ attempt: reason.attempt, delayMs: reason.delay, error: reason.error });
    }
  });
  return policy.execute(attemptInTime);
}

/** The time (epoch ms) that a Retry-After header asks to wait for, in seconds or as an HTTP date; NaN if neither. */
export function retryAfterMs(header: string, nowMs: number): number {
  return /^\d+$/.test(header) ? nowMs + Number(header) * 1_000 : Date.parse(header);
}

/**
 * Calls `attempt` until it succeeds, with growing pauses of at most 2 s.
 * @throws the last error once the signal has aborted
 */
export function retryUntilAborted<T>(
  signal: AbortSignal,
  attempt: () => Promise<T>,
  onRetry: (error: unknown) => void = () => {},
): Promise<T> {
  return retryUntilDeadline(attempt, {
    deadlineMs: Number.POSITIVE_INFINITY,
    initialDelayMs: 200,
    maxDelayMs: 2_000,
    isRetryable: () => !signal.aborted,
    onRetry: ({ error }) => onRetry(error),
  });
}
