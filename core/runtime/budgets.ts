/**
 * All time limits and retries in one place. The rule behind the numbers: everything times out before its caller does,
 * network call < retries < function < slot.
 */

/** The timeout of a single network call. */
export const CALL_TIMEOUTS_MS = {
  exchange: 10_000,
  kafkaConnection: 3_000,
  kafkaSignIn: 5_000,
  kafka: 10_000,
  /** Longer than any of our requests takes on a busy domain. */
  openSearch: 20_000,
  s3Connection: 2_000,
  /** Objects have about 100 KB. */
  s3: 5_000,
  /** A Parquet file may have 100 MB. */
  s3File: 60_000,
} as const;

/** Bounds of the waits between attempts (exponential, full jitter). Retries go on until a deadline. */
export const BACKOFFS = {
  exchange: { initialDelayMs: 250, maxDelayMs: 8_000 },
  kafka: { initialDelayMs: 200, maxDelayMs: 2_000 },
  openSearch: { initialDelayMs: 200, maxDelayMs: 5_000 },
  s3Conflict: { initialDelayMs: 50, maxDelayMs: 500 },
  s3File: { initialDelayMs: 200, maxDelayMs: 5_000 },
} as const;

/** How long to retry when two writers conflict over one object. */
export const S3_CONFLICT_MS = 5_000;

/** How long to retry writing a file. */
export const S3_FILE_RETRY_MS = 30_000;

/** Attempts of the SDK when S3 answers with 5xx or not at all. */
export const S3_ATTEMPTS = 3;

/** Retries within one call to Kafka: about 4 s of waiting in all. kafkajs's default outlasts a Lambda. */
export const KAFKA_RETRY = { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 } as const;

/** For a stream, which retries as a whole: connecting, asking for leaders and sending. */
export const KAFKA_NO_RETRY = { retries: 0 } as const;

/** A poll produces at most this much of a backlog: half a day of one category at two minutes. */
export const MOST_BACKLOG_BATCHES = 400;

/** Time reserved for what follows the work. */
export const RESERVES_MS = {
  /** Dead letters, the answer. */
  finish: 5_000,
  /** A poll's marker, logs and answer. */
  pollFinish: 3_000,
  /** Logs, metrics and the answer. */
  answer: 500,
  /** A poll's lake and stream, however long the exchange takes. */
  pollStore: 15_000,
} as const;

/** When an invocation has to stop working, epoch ms: a reserve before its end, but at most a quarter of its time. */
export function deadlineOf(remainingMs: number, now: number, reserveMs: number = RESERVES_MS.finish): number {
  return now + remainingMs - Math.min(reserveMs, remainingMs / 4);
}

/** A poll started when its slot was over or nearly over. */
export class SlotOverError extends Error {
  override readonly name = 'SlotOverError';
}

/** With less time than this, a poll could not store what it fetches. */
const SHORTEST_POLL_MS = 2_000;

/** Deadlines of a poll, epoch ms. */
export interface PollBudget {
  /** When to stop waiting for the exchange. */
  fetchDeadlineMs: number;
  /** When lake and stream have to be done. */
  deadlineMs: number;
  /** When the marker has to be stored. */
  finishMs: number;
}

/**
 * The deadlines of a poll, which ends before its invocation does and, if the interval is known, before the next slot
 * begins.
 * @throws SlotOverError
 */
export function pollBudget(times: {
  now: number;
  remainingMs: number;
  slotMs: number;
  /** Between two slots. @default unknown: only the invocation's time counts */
  samplingIntervalMs?: number | undefined;
}): PollBudget {
  const { now, remainingMs, slotMs, samplingIntervalMs } = times;
  const slotEndMs = samplingIntervalMs === undefined ? Number.POSITIVE_INFINITY : slotMs + samplingIntervalMs;
  const availableMs = Math.min(remainingMs, slotEndMs - now);
  if (slotEndMs - now < SHORTEST_POLL_MS) {
    const late = `slot ${new Date(slotMs).toISOString()} ends at ${new Date(slotEndMs).toISOString()}`;
    throw new SlotOverError(`The poll started too late: ${late}. The next poll replaces it.`);
  }
  return {
    fetchDeadlineMs: now + availableMs - Math.min(RESERVES_MS.pollStore, availableMs / 2),
    deadlineMs: now + availableMs - Math.min(RESERVES_MS.pollFinish, availableMs / 10),
    finishMs: now + availableMs - Math.min(RESERVES_MS.answer, availableMs / 20),
  };
}
