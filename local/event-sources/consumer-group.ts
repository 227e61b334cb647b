import { once } from 'node:events';
import { type Admin, type Consumer, type EachBatchPayload, type KafkaConfig, logLevel } from 'kafkajs';
import { waitAtMost } from '../../core/runtime/wait.ts';
import { Kafka } from '../../stores/kafka/kafkajs.ts';
import type { PartitionPosition } from './partition-offsets.ts';

export interface GroupOptions {
  readonly brokers: readonly string[];
  readonly signIn?: Pick<KafkaConfig, 'ssl' | 'sasl'>;
  readonly topic: string;
  readonly groupId: string;
}

/** A joined consumer group, until the next rebalance or lost connection. */
export interface Membership {
  commit(offsets: ReadonlyMap<number, number>): Promise<void>;
  positions(): Promise<PartitionPosition[]>;
  /** Drops the connection; a new one starts from the committed offsets. */
  reconnect(reason: Error): void;
}

/** What happens with the records of one membership. */
export interface Assignment {
  /** Takes over fetched records; waits while it has enough. */
  receive(fetched: EachBatchPayload): Promise<void>;
  /** The records that it still holds will be delivered again. */
  end(): void;
}

/** The connection to Kafka ended; the event source opens a new one. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

/** How long a fetch waits for records; also how long leaving the group may take. */
const FETCH_WAIT_MS = 250;
/** kafkajs can hang silently on a lost connection. After this long we make a new consumer. */
export const SILENCE_LIMIT_MS = 30_000;
export const DISCONNECT_MS = 2_500;
/** After how long the group drops a member that vanished, as after a kill. The broker's default minimum. */
const SESSION_TIMEOUT_MS = 6_000;

/**
 * Consumes as a member of the group until the signal aborts.
 * @param begin called at each join of the group
 * @param finish awaited after the signal aborts, while offsets can still be committed
 * @throws when the connection is lost
 */
export async function consumeUntilLost(
  options: GroupOptions,
  begin: (membership: Membership) => Assignment,
  finish: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { topic } = options;
  const kafka = connect(options);
  const consumer = createConsumer(kafka, options);
  const admin = kafka.admin();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {});
  let assignment: Assignment | undefined;

  const membership = membershipOf(consumer, admin, options, lost.reject);
  consumer.on(consumer.events.CRASH, ({ payload }) => lost.reject(payload.error));
  consumer.on(consumer.events.GROUP_JOIN, () => {
    assignment?.end();
    assignment = begin(membership);
  });
  const stopWatching = watchForSilence(consumer, lost.reject);
  const consume = async () => {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (fetched) => assignment?.receive(fetched),
    });
    await lost.promise;
  };
  try {
    await Promise.race([consume(), lost.promise, aborted(signal)]);
    await finish();
  } finally {
    stopWatching();
    assignment?.end();
    await waitAtMost(DISCONNECT_MS, Promise.allSettled([consumer.disconnect(), admin.disconnect()]));
  }
}

function membershipOf(
  consumer: Consumer,
  admin: Admin,
  { topic, groupId }: GroupOptions,
  reconnect: (reason: Error) => void,
): Membership {
  return {
    commit: (offsets) =>
      consumer.commitOffsets(
        [...offsets].map(([partition, offset]) => ({ topic, partition, offset: String(offset) })),
      ),
    async positions() {
      await admin.connect();
      const [committed, bounds] = await Promise.all([
        admin.fetchOffsets({ groupId, topics: [topic] }),
        admin.fetchTopicOffsets(topic),
      ]);
      const offsets = committed.flatMap(({ partitions }) => partitions);
      return bounds.map(({ partition, low, high }) => ({
        partition,
        committed: Number(offsets.find((each) => each.partition === partition)?.offset ?? -1),
        low: Number(low),
        high: Number(high),
      }));
    },
    reconnect,
  };
}

const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 };

function connect({ brokers, signIn }: GroupOptions): Kafka {
  return new Kafka({
    clientId: 'local-event-source',
    brokers: [...brokers],
    ...signIn,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: RETRY,
    // kafkajs logs errors for brokers that are away for a moment; we log what ends a connection.
    logLevel: logLevel.NOTHING,
  });
}

function createConsumer(kafka: Kafka, { groupId }: GroupOptions): Consumer {
  return kafka.consumer({
    groupId,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: SESSION_TIMEOUT_MS / 5,
    rebalanceTimeout: 10_000,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    allowAutoTopicCreation: false,
    // Some errors end kafkajs' consumer for good in spite of restarts, so we always make a new one.
    retry: { ...RETRY, restartOnFailure: async () => false },
  });
}

function watchForSilence(consumer: Consumer, lose: (reason: Error) => void): () => void {
  let lastSignOfLifeMs = Date.now();
  for (const event of ['GROUP_JOIN', 'FETCH', 'HEARTBEAT'] as const) {
    consumer.on(consumer.events[event], () => {
      lastSignOfLifeMs = Date.now();
    });
  }
  const watchdog = setInterval(() => {
    const silenceMs = Date.now() - lastSignOfLifeMs;
    if (silenceMs > SILENCE_LIMIT_MS) {
      lose(new ConnectionLostError(`kafkajs gave no sign of life for ${silenceMs} ms`));
    }
  }, 1_000);
  return () => clearInterval(watchdog);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
