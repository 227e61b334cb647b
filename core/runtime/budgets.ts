/**
 * How long things may take, and how often they are tried, in one place. The rule behind the numbers: a wait ends
 * before that of whoever waits for it, network call < retries < function < slot.
 */

/** Each network call's own timeout. */
export const CALL_TIMEOUTS_MS = {
  exchange: 10_000,
  kafkaConnection: 3_000,
  kafkaSignIn: 5_000,
  kafka: 10_000,
  /** Longer than any request of ours takes on a busy domain. */
  openSearch: 20_000,
  s3Connection: 2_000,
  /** An object has some 100 KB. */
  s3: 5_000,
} as const;

/** Bounds of the waits between attempts (exponential, full jitter); how long is tried the deadline says. */
export const BACKOFFS = {
  exchange: { initialDelayMs: 250, maxDelayMs: 8_000 },
  openSearch: { initialDelayMs: 200, maxDelayMs: 5_000 },
  /** Two writers of one object stand in each other's way. */
  s3Conflict: { initialDelayMs: 50, maxDelayMs: 500 },
} as const;

/** How long two writers of one object may stand in each other's way. */
export const S3_CONFLICT_MS = 5_000;

/** Of the SDK, for what S3 answers with 5xx or not at all. */
export const S3_ATTEMPTS = 3;

/** Within one call to Kafka: about 4 s of waiting in all. kafkajs alone goes on far beyond a Lambda's time. */
export const KAFKA_RETRY = { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 } as const;

/** Kept at the end of an invocation, for what has to come after the work. */
export const RESERVES_MS = {
  /** Dead letters, the answer. */
  finish: 5_000,
  /** A poll's marker, logs and answer. */
  pollFinish: 3_000,
  /** A poll's lake and stream, however long the exchange takes. */
  pollStore: 15_000,
} as const;

/** When an invocation has to stop its work, epoch ms: a reserve before its end, a quarter of a short time. */
export function deadlineOf(remainingMs: number, now: number, reserveMs: number = RESERVES_MS.finish): number {
  return now + remainingMs - Math.min(reserveMs, remainingMs / 4);
}

/** A poll was begun when its slot was over, or nearly: the next slot's poll takes its place. */
export class SlotOverError extends Error {
  override readonly name = 'SlotOverError';
}

/** A poll that has less time than this would only fetch what it cannot store. */
const SHORTEST_POLL_MS = 2_000;

/**
 * When a poll has to stop asking the exchange, and when it has to be done (epoch ms): before its invocation ends,
 * and before the next slot begins, where the interval is known.
 * @throws SlotOverError
 */
export function pollBudget(times: {
  now: number;
  remainingMs: number;
  slotMs: number;
  /** Between two slots. @default unknown: only the invocation's time counts */
  samplingIntervalMs?: number | undefined;
}): { fetchDeadlineMs: number; deadlineMs: number } {
  const { now, remainingMs, slotMs, samplingIntervalMs } = times;
  const slotEndMs = samplingIntervalMs === undefined ? Number.POSITIVE_INFINITY : slotMs + samplingIntervalMs;
  const availableMs = Math.min(remainingMs, slotEndMs - now);
  if (slotEndMs - now < SHORTEST_POLL_MS) {
    const late = `slot ${new Date(slotMs).toISOString()} ends at ${new Date(slotEndMs).toISOString()}`;
    throw new SlotOverError(`The poll came too late: ${late}. The next slot's poll takes its place.`);
  }
  return {
    fetchDeadlineMs: now + availableMs - Math.min(RESERVES_MS.pollStore, availableMs / 2),
    deadlineMs: now + availableMs - Math.min(RESERVES_MS.pollFinish, availableMs / 10),
  };
}
