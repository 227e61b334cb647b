import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { MSKEvent, MSKRecord } from 'aws-lambda';
import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import { type Admin, type Consumer, type EachBatchPayload, Kafka, logLevel } from 'kafkajs';
import { nextOffsets, RecordQueue, toMskEvent, toMskRecord } from './batch.ts';
import {
  type Backoff,
  type BatchHandling,
  backoffMs,
  type Discard,
  processBatch,
  type Retry,
  type RetryPolicy,
} from './batch-processing.ts';
import { invocationRecord, invocationRecordKey, OnFailureBucket, type S3Destination } from './on-failure.ts';

export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  detail?: Record<string, unknown>,
) => void;

/** A batch, or a part of one, that the function has handled. Offsets are decimal strings by partition. */
export interface BatchInfo {
  readonly records: number;
  /** Of the JSON event in which the records first came. */
  readonly payloadBytes: number;
  readonly nextOffsets: Record<string, string>;
  /** What the handler returned. */
  readonly result: unknown;
  /** Of the last invocation. */
  readonly durationMs: number;
}

export interface KafkaEventSourceOptions {
  /** `host:port`. */
  readonly brokers: readonly string[];
  readonly topic: string;
  /** The consumer group; a new one starts at the earliest offset (TRIM_HORIZON). */
  readonly groupId: string;
  /** @default an ARN of a cluster named "local" */
  readonly eventSourceArn?: string;
  /** Named in the records of the on-failure destination. @default "function" */
  readonly functionName?: string;
  /** Calls the function. A rejection is a function error. */
  readonly invoke: (event: MSKEvent) => Promise<unknown>;
  /** Most records in an event, 1 to 10,000. @default 10_000 */
  readonly batchSize?: number;
  /** How long a batch may gather records before it is handed over. @default 0 */
  readonly maximumBatchingWindowMs?: number;
  /** Of the JSON event. @default 6 MiB, Lambda's limit */
  readonly maxPayloadBytes?: number;
  /** `ReportBatchItemFailures`. */
  readonly partialBatchResponse: boolean;
  readonly bisectOnError: boolean;
  /** -1: until it works. @default -1 */
  readonly maximumRetryAttempts?: number;
  /** @default records never grow too old */
  readonly maximumRecordAgeMs?: number;
  /** Where records go that are given up. @default they are dropped, with an error in the log, as in AWS */
  readonly onFailure?: S3Destination;
  /** Waits between attempts on the same records. @default 100 ms to 5 s */
  readonly retryBackoff?: Backoff;
  readonly onBatch?: (info: BatchInfo) => void;
  readonly onRetry?: (retry: Retry) => void;
  /** Also receives what kafkajs has to say. @default warnings and errors to stderr */
  readonly log?: Log;
  /**
   * After how long the group gives up a member that vanished; a restart after a kill waits for it.
   * @default 6_000, the least that a broker accepts unless configured otherwise
   */
  readonly sessionTimeoutMs?: number;
}

export type KafkaEventSourceState = 'connecting' | 'running' | 'reconnecting' | 'stopping' | 'stopped';

export interface KafkaEventSource {
  readonly state: KafkaEventSourceState;
  /** Records between the highest offsets seen on the broker and those handled. */
  lagRecords(): number;
  /** By partition the offset (decimal) up to which all is handled: the function succeeded or they were given up. */
  processedOffsets(): Record<string, string>;
  /**
   * Fulfilled once each partition is handled up to (not including) the offset given. Rejects with the
   * signal's reason, or with {@link EventSourceStoppedError}.
   */
  waitUntil(offsets: Record<string, bigint | string>, signal?: AbortSignal): Promise<void>;
  /** Fulfilled when the group has been joined (again). Rejects like `waitUntil`. */
  waitUntilRunning(signal?: AbortSignal): Promise<void>;
  /**
   * Lets the running invocation finish (at most 3 s), commits it and leaves the group (at most 3 s). What was
   * not committed comes again at the next start.
   */
  stop(): Promise<void>;
}

/** The event source was stopped while somebody waited for it. */
export class EventSourceStoppedError extends Error {
  override readonly name = 'EventSourceStoppedError';
  constructor(topic: string, groupId: string) {
    super(`The event source of topic "${topic}" (group "${groupId}") was stopped`);
  }
}

/** The connection to Kafka ended; the event source opens a new one by itself. */
class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

const RECONNECT_BACKOFF: Backoff = { initialMs: 200, maxMs: 2_000 };
/** The longest poll that finds nothing; also how long leaving may have to wait for one. */
const FETCH_WAIT_MS = 250;
/** kafkajs is known to hang without a word on lost connections: after such a silence a new consumer is made. */
const SILENCE_LIMIT_MS = 30_000;
const STOP_INVOCATION_MS = 3_000;
const DISCONNECT_MS = 2_500;

/**
 * The stand-in for a Lambda event source mapping of Amazon MSK in provisioned mode: consumes a topic and
 * calls a function with events of the shape that AWS sends, in the order of each partition, at least once.
 * Offsets are committed once the function has handled the records or they are in the on-failure destination.
 *
 * It connects in the background and rides out any outage of the brokers, also one at the start.
 *
 * Unlike AWS it is one poller that makes one invocation at a time; it knows no filters, schemas, starting
 * positions other than the earliest, and no destinations other than S3. A partition whose record fails for
 * ever holds up all of them, not only its own. With a destination and unlimited retries AWS stops after 10
 * attempts; here unlimited means unlimited. A destination that is away is tried until it takes the records.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-msk-process.html
 */
export function startKafkaEventSource(options: KafkaEventSourceOptions): KafkaEventSource {
  return new LocalEventSourceMapping(options);
}

class LocalEventSourceMapping implements KafkaEventSource {
  readonly #options: KafkaEventSourceOptions;
  readonly #origin: { eventSourceArn: string; bootstrapServers: string };
  readonly #limits: { maxRecords: number; maxPayloadBytes: number };
  readonly #policy: RetryPolicy;
  readonly #windowMs: number;
  readonly #log: Log;
  readonly #destination: OnFailureBucket | undefined;

  readonly #queue: RecordQueue;
  /** Emits `queued`, `taken`, `processed` and `state`. */
  readonly #events = new EventEmitter().setMaxListeners(0);
  readonly #processed = new Map<number, number>();
  readonly #highWatermarks = new Map<number, number>();
  readonly #stop = new AbortController();
  #state: KafkaEventSourceState = 'connecting';
  /** Aborted when the group rebalances or the connection is lost: what it handed out will come again. */
  #assignment = new AbortController();
  #consumer: Consumer | undefined;
  /** Ends the present connection, so that a new one starts from the committed offsets. */
  #reconnect: (reason: Error) => void = () => {};
  #lastSignOfLifeMs = Date.now();

  readonly #connecting: Promise<void>;
  readonly #processing: Promise<void>;
  #stopped: Promise<void> | undefined;

  constructor(options: KafkaEventSourceOptions) {
    this.#options = options;
    this.#origin = {
      eventSourceArn: options.eventSourceArn ?? 'arn:aws:kafka:local:000000000000:cluster/local/0',
      bootstrapServers: options.brokers.join(','),
    };
    this.#limits = {
      maxRecords: options.batchSize ?? 10_000,
      maxPayloadBytes: options.maxPayloadBytes ?? 6 * 1024 * 1024,
    };
    this.#policy = {
      partialBatchResponse: options.partialBatchResponse,
      bisectOnError: options.bisectOnError,
      maximumRetryAttempts: options.maximumRetryAttempts ?? -1,
      maximumRecordAgeMs: options.maximumRecordAgeMs,
      backoff: options.retryBackoff ?? { initialMs: 100, maxMs: 5_000 },
    };
    this.#windowMs = options.maximumBatchingWindowMs ?? 0;
    this.#log = options.log ?? logToStderr;
    this.#destination = options.onFailure && new OnFailureBucket(options.onFailure);
    this.#queue = new RecordQueue(this.#limits, this.#origin);
    this.#processing = this.#processBatches();
    this.#connecting = this.#stayConnected();
  }

  get state(): KafkaEventSourceState {
    return this.#state;
  }

  lagRecords(): number {
    let lag = 0;
    for (const [partition, high] of this.#highWatermarks) {
      lag += Math.max(0, high - (this.#processed.get(partition) ?? 0));
    }
    return lag;
  }

  processedOffsets(): Record<string, string> {
    return offsetsByPartition(this.#processed);
  }

  waitUntil(offsets: Record<string, bigint | string>, signal?: AbortSignal): Promise<void> {
    const targets = Object.entries(offsets).map(([partition, offset]) => [Number(partition), Number(offset)]);
    return this.#waitFor(
      'processed',
      () => targets.every(([partition = 0, offset = 0]) => (this.#processed.get(partition) ?? 0) >= offset),
      signal,
    );
  }

  waitUntilRunning(signal?: AbortSignal): Promise<void> {
    return this.#waitFor('state', () => this.#state === 'running', signal);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopOnce();
    return this.#stopped;
  }

  async #stopOnce(): Promise<void> {
    this.#setState('stopping');
    // Ends waits and retries, not the invocation that is under way: its records should be committed.
    this.#stop.abort(new EventSourceStoppedError(this.#options.topic, this.#options.groupId));
    await within(STOP_INVOCATION_MS, this.#processing);
    this.#endAssignment();
    await within(DISCONNECT_MS + 500, this.#connecting);
    this.#destination?.close();
    this.#setState('stopped');
  }

  async #waitFor(
    event: 'processed' | 'state',
    condition: () => boolean,
    signal?: AbortSignal,
  ): Promise<void> {
    const ended = AbortSignal.any([this.#stop.signal, ...(signal ? [signal] : [])]);
    while (!condition()) {
      ended.throwIfAborted();
      await once(this.#events, event, { signal: ended }).catch(() => ended.throwIfAborted());
    }
  }

  #setState(state: KafkaEventSourceState): void {
    this.#state = state;
    this.#events.emit('state');
  }

  // ── Kafka's side ──────────────────────────────────────────────────────────────────────────────────────

  /** Keeps a consumer alive until stopped. kafkajs' own restarts are off: some errors end it for good. */
  async #stayConnected(): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; ) {
      const startedAtMs = Date.now();
      try {
        await this.#consumeUntilLost();
      } catch (error) {
        if (signal.aborted) break;
        // A connection that held for a while was no failure to connect.
        failures = Date.now() - startedAtMs > SILENCE_LIMIT_MS ? 1 : failures + 1;
        const delayMs = backoffMs(failures, RECONNECT_BACKOFF);
        this.#setState('reconnecting');
        this.#log('warn', `Kafka is out of reach, next try in ${delayMs} ms: ${messageOf(error)}`, {
          topic: this.#options.topic,
          brokers: this.#options.brokers,
          failures,
        });
        await wait(delayMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Fulfilled when stopped, rejects when the connection is lost. */
  async #consumeUntilLost(): Promise<void> {
    const { topic, groupId, brokers } = this.#options;
    const sessionTimeout = this.#options.sessionTimeoutMs ?? 6_000;
    const heartbeatInterval = Math.floor(sessionTimeout / 5);
    const shortRetry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 };
    const kafka = new Kafka({
      clientId: 'local-event-source',
      brokers: [...brokers],
      connectionTimeout: 3_000,
      requestTimeout: 10_000,
      retry: shortRetry,
      logLevel: logLevel.WARN,
      logCreator: () => (entry) => {
        const { message, timestamp: _, ...detail } = entry.log;
        // kafkajs calls errors what is a broker that is away for a moment; what ends a connection we log.
        this.#log('debug', `kafkajs: ${message}`, { namespace: entry.namespace, ...detail });
      },
    });
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout,
      heartbeatInterval,
      rebalanceTimeout: Math.max(10_000, sessionTimeout),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      allowAutoTopicCreation: false,
      retry: { ...shortRetry, restartOnFailure: async () => false },
    });
    const admin = kafka.admin();

    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => {});
    const { CRASH, GROUP_JOIN, FETCH, HEARTBEAT } = consumer.events;
    consumer.on(CRASH, ({ payload }) => lost.reject(payload.error));
    const signOfLife = () => {
      this.#lastSignOfLifeMs = Date.now();
    };
    signOfLife();
    consumer.on(FETCH, signOfLife);
    consumer.on(HEARTBEAT, signOfLife);
    consumer.on(GROUP_JOIN, () => {
      signOfLife();
      this.#beginAssignment(admin);
    });
    const watchdog = setInterval(() => {
      const silenceMs = Date.now() - this.#lastSignOfLifeMs;
      if (silenceMs > SILENCE_LIMIT_MS) {
        lost.reject(new ConnectionLostError(`kafkajs gave no sign of life for ${silenceMs} ms`));
      }
    }, 1_000);

    this.#consumer = consumer;
    this.#reconnect = lost.reject;
    const consume = async () => {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: async (payload) => {
          // One that was given up as hung and woke again must not feed the queue.
          if (this.#consumer !== consumer) throw new ConnectionLostError('this consumer was replaced');
          await this.#receive(payload, heartbeatInterval);
        },
      });
      await lost.promise;
    };
    try {
      await Promise.race([consume(), lost.promise, aborted(this.#stop.signal)]);
      // Stopped: the processing side commits what it has in hand before the connection goes.
      await within(STOP_INVOCATION_MS, this.#processing);
    } finally {
      clearInterval(watchdog);
      this.#endAssignment();
      this.#consumer = undefined;
      await within(DISCONNECT_MS, Promise.allSettled([consumer.disconnect(), admin.disconnect()]));
    }
  }

  /** The group has been joined: fetching goes on from the committed offsets, so what was queued comes again. */
  #beginAssignment(admin: Admin): void {
    this.#endAssignment();
    this.#assignment = new AbortController();
    if (this.#stop.signal.aborted) return;
    this.#setState('running');
    this.#readCommittedOffsets(admin, this.#assignment.signal).catch((error: unknown) =>
      this.#log('debug', `the committed offsets could not be read: ${messageOf(error)}`),
    );
  }

  #endAssignment(): void {
    this.#assignment.abort();
    this.#queue.clear();
    this.#events.emit('taken');
  }

  /** So that lag and `waitUntil` are right before the first record comes, or if none comes. */
  async #readCommittedOffsets(admin: Admin, signal: AbortSignal): Promise<void> {
    const { topic, groupId } = this.#options;
    const before = new Map(this.#processed);
    const [committed, bounds] = await untilItWorks(signal, async () => {
      await admin.connect();
      return Promise.all([admin.fetchOffsets({ groupId, topics: [topic] }), admin.fetchTopicOffsets(topic)]);
    });
    if (signal.aborted) return;
    const committedOffsets = new Map(
      committed.flatMap(({ partitions }) => partitions.map((p) => [p.partition, Number(p.offset)] as const)),
    );
    for (const { partition, low, high } of bounds) {
      const start = Math.max(committedOffsets.get(partition) ?? -1, Number(low));
      const known = before.get(partition);
      const advanced = this.#processed.get(partition) !== known;
      // Handled but not committed still counts as handled, unless the topic is another one by now.
      const stillTrue = known !== undefined && known > start && known <= Number(high);
      if (!advanced && !stillTrue) this.#processed.set(partition, start);
      this.#highWatermarks.set(
        partition,
        advanced ? Math.max(this.#highWatermarks.get(partition) ?? 0, Number(high)) : Number(high),
      );
    }
    this.#events.emit('processed');
  }

  async #receive({ batch, resolveOffset, heartbeat, isRunning }: EachBatchPayload, heartbeatMs: number) {
    this.#highWatermarks.set(batch.partition, Number(batch.highWatermark));
    const now = Date.now();
    for (const message of batch.messages) {
      this.#queue.push(toMskRecord(batch.topic, batch.partition, message), now);
    }
    this.#events.emit('queued');
    // Only moves on where to fetch from; what is committed is decided when the function has handled it.
    resolveOffset(batch.lastOffset());
    await heartbeat();
    // Fetch ahead of the function by two batches at most, and stay a member of the group meanwhile.
    while (this.#queue.holdsBatches(2) && isRunning() && !this.#stop.signal.aborted) {
      await once(this.#events, 'taken', { signal: AbortSignal.timeout(heartbeatMs) }).catch(() => {});
      await heartbeat();
    }
  }

  // ── The function's side ───────────────────────────────────────────────────────────────────────────────

  async #processBatches(): Promise<void> {
    while (await this.#batchIsDue()) {
      const assignment = this.#assignment;
      const batch = this.#queue.take();
      this.#events.emit('taken');
      if (!batch) continue;
      const handling = this.#handlingOf(batch.payloadBytes, assignment.signal);
      try {
        if (batch.payloadBytes > this.#limits.maxPayloadBytes) {
          // Only a record that is too large by itself comes in a batch above the limit.
          await handling.discard(batch.records, { condition: 'MaximumPayloadSizeExceeded', invokeCount: 0 });
        } else {
          await processBatch(batch.records, this.#policy, handling);
        }
      } catch (error) {
        if (assignment.signal.aborted || this.#stop.signal.aborted) continue;
        // Nothing behind these records may be committed: have them, and all after them, delivered again.
        this.#log('error', `a batch could not be settled, it will be fetched again: ${messageOf(error)}`);
        this.#endAssignment();
        this.#reconnect(new ConnectionLostError('a batch could not be settled', { cause: error }));
      }
    }
  }

  /** Waits until a batch is full or its window is over. False when stopped. */
  async #batchIsDue(): Promise<boolean> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const oldestMs = this.#queue.oldestArrivalMs;
      if (this.#queue.holdsFullBatch) return true;
      if (oldestMs === undefined) {
        await once(this.#events, 'queued', { signal }).catch(() => {});
        continue;
      }
      const remainingMs = oldestMs + this.#windowMs - Date.now();
      if (remainingMs <= 0) {
        // One fetch delivers its partitions one after the other: let them share an event.
        await nextTurn();
        return !signal.aborted;
      }
      const dueOrStopped = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(remainingMs))]);
      await once(this.#events, 'queued', { signal: dueOrStopped }).catch(() => {});
    }
    return false;
  }

  #handlingOf(payloadBytes: number, assignment: AbortSignal): BatchHandling {
    const lostOrStopped = AbortSignal.any([assignment, this.#stop.signal]);
    let last = { result: undefined as unknown, durationMs: 0 };
    return {
      invoke: async (records) => {
        const startedAtMs = performance.now();
        const result = await this.#options.invoke(toMskEvent(records, this.#origin));
        last = { result, durationMs: performance.now() - startedAtMs };
        return result;
      },
      done: async (records) => {
        const next = nextOffsets(records);
        // Told first: whoever waits for the offsets finds the batch counted.
        this.#options.onBatch?.({
          records: records.length,
          payloadBytes,
          nextOffsets: offsetsByPartition(next),
          ...last,
        });
        await this.#settle(next, assignment);
      },
      discard: async (records, discard) => {
        await this.#discard(records, discard, lostOrStopped);
        await this.#settle(nextOffsets(records), assignment);
      },
      onRetry: (retry) => {
        const { records, attempt, error, next, delayMs } = retry;
        this.#log('warn', `the function failed on ${records} records (${next}): ${messageOf(error)}`, {
          topic: this.#options.topic,
          attempt,
          delayMs,
        });
        this.#options.onRetry?.(retry);
      },
      isOurs: () => !lostOrStopped.aborted,
      now: Date.now,
      sleep: (delayMs) => wait(delayMs, undefined, { signal: lostOrStopped }).catch(() => {}),
    };
  }

  /** Marks the offsets as processed and commits them; tries until it works or the assignment is lost. */
  async #settle(next: ReadonlyMap<number, number>, assignment: AbortSignal): Promise<void> {
    for (const [partition, offset] of next) {
      this.#processed.set(partition, offset);
      this.#highWatermarks.set(partition, Math.max(this.#highWatermarks.get(partition) ?? 0, offset));
    }
    this.#events.emit('processed');
    const offsets = [...next].map(([partition, offset]) => ({
      topic: this.#options.topic,
      partition,
      offset: String(offset),
    }));
    await untilItWorks(assignment, async () => this.#consumer?.commitOffsets(offsets));
  }

  async #discard(records: readonly MSKRecord[], discard: Discard, signal: AbortSignal): Promise<void> {
    const { topic, groupId, functionName = 'function' } = this.#options;
    const detail = {
      condition: discard.condition,
      invokeCount: discard.invokeCount,
      nextOffsets: offsetsByPartition(nextOffsets(records)),
      ...(discard.error === undefined ? {} : { error: messageOf(discard.error) }),
    };
    const destination = this.#destination;
    if (!destination) {
      this.#log(
        'error',
        `${records.length} records of "${topic}" are LOST: no on-failure destination`,
        detail,
      );
      return;
    }
    const now = new Date();
    const record = invocationRecord(records, discard, {
      ...this.#origin,
      functionName,
      requestId: randomUUID(),
      now,
    });
    const key = invocationRecordKey(groupId, topic, now);
    const uri = await untilItWorks(
      signal,
      () => destination.put(key, record),
      (error) =>
        this.#log('warn', `the on-failure destination is out of reach: ${messageOf(error)}`, { key }),
    );
    this.#log('error', `${records.length} records of "${topic}" were given up, kept in ${uri}`, detail);
  }
}

/** Tries with growing pauses; rejects with the last error once the signal is aborted. */
function untilItWorks<T>(
  signal: AbortSignal,
  attempt: () => Promise<T>,
  onFailure: (error: unknown) => void = () => {},
): Promise<T> {
  const policy = retry(handleAll, {
    maxAttempts: Number.POSITIVE_INFINITY,
    backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 2_000 }),
  });
  policy.onFailure(({ reason }) => onFailure('error' in reason ? reason.error : reason.value));
  return policy.execute(attempt, signal);
}

/** Gives up waiting after a time, never rejects. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work.catch(() => {}), wait(ms, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}

/** Fulfilled when the signal is aborted. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

function offsetsByPartition(offsets: ReadonlyMap<number, number>): Record<string, string> {
  return Object.fromEntries([...offsets].map(([partition, offset]) => [String(partition), String(offset)]));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function logToStderr(level: string, message: string, detail?: Record<string, unknown>): void {
  if (level === 'warn' || level === 'error') {
    process.stderr.write(`${level}: ${message}${detail ? ` ${JSON.stringify(detail)}` : ''}\n`);
  }
}
