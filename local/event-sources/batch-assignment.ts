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

/** How often a full queue sends a heartbeat; well within the shortest session. */
const HEARTBEAT_MS = 1_000;

/** Queues the records of one membership and hands them to the function, batch by batch. */
export class BatchAssignment implements Assignment {
  readonly #options: KafkaEventSourceOptions;
  readonly #context: AssignmentContext;
  readonly #queue: RecordQueue;
  readonly #ended = new AbortController();
  /** Aborted when the assignment ends or the event source stops. */
  readonly #over: AbortSignal;

  constructor(options: KafkaEventSourceOptions, context: AssignmentContext) {
    this.#options = options;
    this.#context = context;
    this.#queue = new RecordQueue(limitsOf(options), originOf(options));
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

  async receive({ batch, resolveOffset, heartbeat, isRunning }: EachBatchPayload): Promise<void> {
    // A consumer that we replaced because it hung may wake up again.
    if (this.#ended.signal.aborted) throw new ConnectionLostError('the assignment has ended');
    this.#context.offsets.reaches(batch.partition, Number(batch.highWatermark));
    const now = Date.now();
    for (const message of batch.messages) {
      this.#queue.push(toMskRecord(batch.topic, batch.partition, message), now);
    }
    // Only moves the next fetch; offsets are committed after the function has handled the records.
    resolveOffset(batch.lastOffset());
    await heartbeat();
    // Fetch at most two batches ahead of the function, and stay in the group while waiting.
    while (this.#queue.holdsBatches(2) && isRunning() && !this.#over.aborted) {
      await this.#queue.taken(AbortSignal.any([this.#over, AbortSignal.timeout(HEARTBEAT_MS)]));
      await heartbeat();
    }
  }

  /** Handles one batch after the other until the assignment is over. */
  async processBatches(): Promise<void> {
    for (;;) {
      const batch = await this.#queue.next(this.#over);
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
