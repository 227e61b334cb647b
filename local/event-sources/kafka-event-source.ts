import { EventEmitter, once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { waitAtMost } from '../../core/runtime/wait.ts';
import { BatchAssignment, messageOf } from './batch-assignment.ts';
import { type Backoff, backoffMs } from './batch-processing.ts';
import {
  type Assignment,
  consumeUntilLost,
  DISCONNECT_MS,
  type Membership,
  SILENCE_LIMIT_MS,
} from './consumer-group.ts';
import { OnFailure } from './on-failure.ts';
import type { KafkaEventSourceOptions } from './options.ts';
import { offsetsByPartition, PartitionOffsets } from './partition-offsets.ts';

export type KafkaEventSourceState = 'connecting' | 'running' | 'reconnecting' | 'stopping' | 'stopped';

export interface KafkaEventSource {
  readonly state: KafkaEventSourceState;
  /** Records on the broker that are not handled yet, to our knowledge. */
  lagRecords(): number;
  /** By partition, the offset (decimal) up to which every record was handled by the function or given up. */
  processedOffsets(): Record<string, string>;
  /**
   * Waits until each partition is handled up to (not including) the given offset. Rejects with the signal's reason, or
   * with {@link EventSourceStoppedError}.
   */
  waitUntil(offsets: Record<string, bigint | string>, signal?: AbortSignal): Promise<void>;
  /** Waits until the group is joined. Rejects like `waitUntil`. */
  waitUntilRunning(signal?: AbortSignal): Promise<void>;
  /**
   * Waits for the current invocations (3 s at most), commits them and leaves the group (3 s at most). Records that are not
   * committed are delivered again after the next start.
   */
  stop(): Promise<void>;
}

/** The event source was stopped while a caller waited for it. */
export class EventSourceStoppedError extends Error {
  override readonly name = 'EventSourceStoppedError';
  constructor(topic: string, groupId: string) {
    super(`The event source of topic "${topic}" (group "${groupId}") was stopped`);
  }
}

const RECONNECT_BACKOFF: Backoff = { initialMs: 200, maxMs: 2_000 };
const FINISH_INVOCATIONS_MS = 3_000;

/**
 * Stands in for a Lambda event source mapping of Amazon MSK in provisioned mode: consumes a topic and calls a function
 * with the events that AWS would send, in the order of each partition, at least once. Offsets are committed once the
 * function has handled the records or they are in the on-failure destination.
 *
 * It connects in the background and survives any outage of the brokers, including one at the start.
 *
 * As on AWS, up to one invocation per partition is under way. Unlike there, an event has the records of one partition
 * only. It supports no filters, schemas, starting positions other than the earliest, or destinations other than S3. It
 * retries an unavailable destination until the records are stored.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-msk-process.html
 */
export function startKafkaEventSource(options: KafkaEventSourceOptions): KafkaEventSource {
  return new LocalEventSource(options);
}

class LocalEventSource implements KafkaEventSource {
  readonly #options: KafkaEventSourceOptions;
  readonly #offsets: PartitionOffsets;
  readonly #onFailure: OnFailure;
  readonly #stop = new AbortController();
  readonly #changes = new EventEmitter<{ changed: [] }>().setMaxListeners(0);
  #state: KafkaEventSourceState = 'connecting';
  readonly #connecting: Promise<void>;
  /** Of all assignments so far, one after the other. */
  #processing: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(options: KafkaEventSourceOptions) {
    this.#options = options;
    this.#offsets = new PartitionOffsets(() => this.#changes.emit('changed'));
    this.#onFailure = new OnFailure(options);
    this.#connecting = this.#stayConnected();
  }

  get state(): KafkaEventSourceState {
    return this.#state;
  }

  lagRecords(): number {
    return this.#offsets.lagRecords();
  }

  processedOffsets(): Record<string, string> {
    return offsetsByPartition(this.#offsets.handled());
  }

  waitUntil(offsets: Record<string, bigint | string>, signal?: AbortSignal): Promise<void> {
    const targets = Object.entries(offsets);
    const isHandled = () =>
      targets.every(([partition, offset]) => this.#offsets.handledUpTo(Number(partition)) >= Number(offset));
    return this.#waitFor(isHandled, signal);
  }

  waitUntilRunning(signal?: AbortSignal): Promise<void> {
    return this.#waitFor(() => this.#state === 'running', signal);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopOnce();
    return this.#stopped;
  }

  async #stopOnce(): Promise<void> {
    this.#setState('stopping');
    // Ends pauses and retries, but not the current invocations, whose records should be committed.
    this.#stop.abort(new EventSourceStoppedError(this.#options.topic, this.#options.groupId));
    await this.#finishInvocations();
    await waitAtMost(DISCONNECT_MS + 500, this.#connecting);
    this.#onFailure.close();
    this.#setState('stopped');
  }

  #finishInvocations(): Promise<void> {
    return waitAtMost(FINISH_INVOCATIONS_MS, this.#processing);
  }

  async #waitFor(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([this.#stop.signal, ...(signal ? [signal] : [])]);
    while (!condition()) {
      ended.throwIfAborted();
      await once(this.#changes, 'changed', { signal: ended }).catch(() => ended.throwIfAborted());
    }
  }

  #setState(state: KafkaEventSourceState): void {
    this.#state = state;
    this.#changes.emit('changed');
  }

  async #stayConnected(): Promise<void> {
    const { signal } = this.#stop;
    const begin = (membership: Membership) => this.#begin(membership);
    for (let failures = 0; !signal.aborted; ) {
      const startedAtMs = Date.now();
      try {
        await consumeUntilLost(this.#options, begin, () => this.#finishInvocations(), signal);
      } catch (error) {
        if (signal.aborted) return;
        // A connection that lasted a while counts as a success, so the backoff starts again.
        failures = Date.now() - startedAtMs > SILENCE_LIMIT_MS ? 1 : failures + 1;
        const delayMs = backoffMs(failures, RECONNECT_BACKOFF);
        this.#setState('reconnecting');
        this.#options.log.warn(`Kafka is unreachable, next try in ${delayMs} ms: ${messageOf(error)}`, {
          topic: this.#options.topic,
          brokers: this.#options.brokers,
          failures,
        });
        await wait(delayMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Consuming continues from the committed offsets, so records of an earlier assignment are delivered again. */
  #begin(membership: Membership): Assignment {
    const assignment = new BatchAssignment(this.#options, {
      membership,
      offsets: this.#offsets,
      onFailure: this.#onFailure,
      stop: this.#stop.signal,
    });
    if (!this.#stop.signal.aborted) this.#setState('running');
    // Fails only when the assignment has ended.
    assignment.resumeOffsets().catch(() => {});
    this.#processing = this.#processing.then(() => assignment.processBatches());
    return assignment;
  }
}
