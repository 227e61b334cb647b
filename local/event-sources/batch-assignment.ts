import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { EachBatchPayload } from 'kafkajs';
import { retryUntilAborted } from '../../core/runtime/retry.ts';
import { nextOffsets, toMskEvent, toMskRecord } from './batch.ts';
import { type BatchHandling, processBatch } from './batch-processing.ts';
import { type Assignment, ConnectionLostError, type Membership } from './consumer-group.ts';
import type { OnFailure } from './on-failure.ts';
import { type KafkaEventSourceOptions, limitsOf, originOf, retryPolicyOf } from './options.ts';
import { offsetsByPartition, type PartitionOffsets } from './partition-offsets.ts';
import { type Batch, RecordQueue } from './record-queue.ts';

/** What an assignment shares with the rest of its event source. */
export interface AssignmentContext {
  readonly membership: Membership;
  readonly offsets: PartitionOffsets;
  readonly onFailure: OnFailure;
  /** Aborted when the event source stops. */
  readonly stop: AbortSignal;
}

/** Fetched records of one partition, and their way through the function. */
interface Lane {
  readonly queue: RecordQueue;
  /** Fulfilled after the last batch. */
  readonly processed: Promise<void>;
}

/** Batches that may wait in a partition's queue; then we stop fetching it for a while. */
const QUEUED_BATCHES = 2;

/**
 * Queues the records of one membership and hands them to the function, batch by batch: those of a partition one after
 * the other, those of different partitions at the same time.
 */
export class BatchAssignment implements Assignment {
  readonly #options: KafkaEventSourceOptions;
  readonly #context: AssignmentContext;
  /** By partition. */
  readonly #lanes = new Map<number, Lane>();
  readonly #mayProcess = Promise.withResolvers<void>();
  readonly #ended = new AbortController();
  /** Aborted when the assignment ends or the event source stops. */
  readonly #over: AbortSignal;

  constructor(options: KafkaEventSourceOptions, context: AssignmentContext) {
    this.#options = options;
    this.#context = context;
    this.#over = AbortSignal.any([this.#ended.signal, context.stop]);
  }

  end(): void {
    this.#ended.abort();
  }

  async resumeOffsets(): Promise<void> {
    const { membership, offsets } = this.#context;
    const before = offsets.handled();
    const positions = await retryUntilAborted(this.#over, () => membership.positions());
    if (!this.#over.aborted) offsets.resume(positions, before);
  }

  async receive({ batch, resolveOffset, heartbeat, pause }: EachBatchPayload): Promise<void> {
    // A consumer that we replaced because it hung may wake up again.
    if (this.#ended.signal.aborted) throw new ConnectionLostError('the assignment has ended');
    this.#context.offsets.reaches(batch.partition, Number(batch.highWatermark));
    const { queue } = this.#laneOf(batch.partition);
    const now = Date.now();
    for (const message of batch.messages) {
      queue.push(toMskRecord(batch.topic, batch.partition, message), now);
    }
    // Only moves the next fetch; offsets are committed after the function has handled the records.
    resolveOffset(batch.lastOffset());
    if (queue.holdsBatches(QUEUED_BATCHES)) void this.#resumeLater(queue, pause());
    await heartbeat();
  }

  /** Handles batches until the assignment is over. Those of earlier assignments must be finished before. */
  async processBatches(): Promise<void> {
    this.#mayProcess.resolve();
    if (!this.#over.aborted) await once(this.#over, 'abort');
    await Promise.all([...this.#lanes.values()].map(({ processed }) => processed));
  }

  #laneOf(partition: number): Lane {
    const known = this.#lanes.get(partition);
    if (known) return known;
    const queue = new RecordQueue(limitsOf(this.#options), originOf(this.#options));
    const lane = { queue, processed: this.#mayProcess.promise.then(() => this.#processQueue(queue)) };
    this.#lanes.set(partition, lane);
    return lane;
  }

  /** Fetches a paused partition again once its queue has room, or for the next assignment. */
  async #resumeLater(queue: RecordQueue, resume: () => void): Promise<void> {
    while (queue.holdsBatches(QUEUED_BATCHES) && !this.#over.aborted) await queue.taken(this.#over);
    resume();
  }

  async #processQueue(queue: RecordQueue): Promise<void> {
    for (;;) {
      const batch = await queue.next(this.#over);
      if (!batch) return;
      try {
        await this.#process(batch);
      } catch (error) {
        if (this.#over.aborted) return;
        // Nothing after these records may be committed, so have all of them delivered again.
        this.#options.log.error(
          `A batch could not be settled and will be fetched again: ${messageOf(error)}`,
        );
        this.end();
        this.#context.membership.reconnect(
          new ConnectionLostError('a batch could not be settled', { cause: error }),
        );
        return;
      }
    }
  }

  async #process({ records, payloadBytes }: Batch): Promise<void> {
    const handling = this.#handlingOf(payloadBytes);
    if (payloadBytes > limitsOf(this.#options).maxPayloadBytes) {
      // Only a single record that is too large makes a batch above the limit.
      await handling.discard(records, { condition: 'MaximumPayloadSizeExceeded', invokeCount: 0 });
    } else {
      await processBatch(records, retryPolicyOf(this.#options), handling);
    }
  }

  #handlingOf(payloadBytes: number): BatchHandling {
    const { topic, invoke, onBatch, onRetry, log } = this.#options;
    const origin = originOf(this.#options);
    let last = { result: undefined as unknown, durationMs: 0 };
    return {
      invoke: async (records) => {
        const startedAtMs = performance.now();
        const result = await invoke(toMskEvent(records, origin));
        last = { result, durationMs: performance.now() - startedAtMs };
        return result;
      },
      done: async (records) => {
        const next = nextOffsets(records);
        // Before the offsets move, so that callers who wait for them find the batch counted.
        onBatch?.({ records: records.length, payloadBytes, nextOffsets: offsetsByPartition(next), ...last });
        await this.#settle(next);
      },
      discard: async (records, discard) => {
        await this.#context.onFailure.discard(records, discard, this.#over);
        await this.#settle(nextOffsets(records));
      },
      onRetry: (retry) => {
        const { records, attempt, error, next, delayMs } = retry;
        log.warn(`The function failed on ${records} records (${next}): ${messageOf(error)}`, {
          topic,
          attempt,
          delayMs,
        });
        onRetry?.(retry);
      },
      isAssigned: () => !this.#over.aborted,
      now: Date.now,
      sleep: (delayMs) => wait(delayMs, undefined, { signal: this.#over }).catch(() => {}),
    };
  }

  /** Marks the offsets as handled and commits them. Goes on after a stop, so that a finished batch is committed. */
  async #settle(next: ReadonlyMap<number, number>): Promise<void> {
    this.#context.offsets.advance(next);
    await retryUntilAborted(this.#ended.signal, () => this.#context.membership.commit(next));
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
