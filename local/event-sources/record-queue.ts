import { EventEmitter, once } from 'node:events';
import type { MSKRecord } from 'aws-lambda';
import { type EventOrigin, partitionKey, toMskEvent } from './batch.ts';

export interface BatchLimits {
  readonly maxRecords: number;
  /** Of the JSON event that the function receives: base64 records and envelope. */
  readonly maxPayloadBytes: number;
  /** How long a batch may wait for more records. @default 0 */
  readonly windowMs?: number;
}

export interface Batch {
  readonly records: readonly MSKRecord[];
  /** Size of the JSON event for these records. */
  readonly payloadBytes: number;
}

interface QueuedRecord {
  readonly record: MSKRecord;
  readonly bytes: number;
  readonly arrivedAtMs: number;
}

/** Fetched records of one partition on their way to the function: first in, first out, in batches within the limits. */
export class RecordQueue {
  readonly #limits: BatchLimits;
  readonly #emptyEventBytes: number;
  readonly #changes = new EventEmitter<{ pushed: []; taken: [] }>();
  #queued: QueuedRecord[] = [];
  #head = 0;
  #recordBytes = 0;

  constructor(limits: BatchLimits, origin: EventOrigin) {
    this.#limits = limits;
    this.#emptyEventBytes = Buffer.byteLength(JSON.stringify(toMskEvent([], origin)));
  }

  push(record: MSKRecord, arrivedAtMs: number): void {
    const bytes = recordBytes(record);
    this.#queued.push({ record, bytes, arrivedAtMs });
    this.#recordBytes += bytes;
    this.#changes.emit('pushed');
  }

  /** Whether at least this many full batches are queued. */
  holdsBatches(count: number): boolean {
    return (
      this.#queued.length - this.#head >= count * this.#limits.maxRecords ||
      this.#recordBytes >= count * this.#limits.maxPayloadBytes
    );
  }

  /** Waits until a batch is full or its window is over, and takes it. Undefined once the signal has aborted. */
  async next(signal: AbortSignal): Promise<Batch | undefined> {
    while (!signal.aborted) {
      const waitMs = this.#timeUntilDueMs(Date.now());
      if (waitMs <= 0) return this.take();
      const due = Number.isFinite(waitMs) ? [AbortSignal.timeout(Math.ceil(waitMs))] : [];
      await once(this.#changes, 'pushed', { signal: AbortSignal.any([signal, ...due]) }).catch(() => {});
    }
    return undefined;
  }

  /** Waits until a batch is taken or the signal aborts. */
  async taken(signal: AbortSignal): Promise<void> {
    await once(this.#changes, 'taken', { signal }).catch(() => {});
  }

  /**
   * Takes as many records as fit the limits, but at least one: a record above the payload limit comes alone, with a
   * `payloadBytes` above the limit. Undefined if the queue is empty.
   */
  take(): Batch | undefined {
    const records: MSKRecord[] = [];
    let payloadBytes = this.#emptyEventBytes;
    while (records.length < this.#limits.maxRecords) {
      const next = this.#queued[this.#head];
      if (!next) break;
      const { record, bytes } = next;
      // A record adds itself and a comma, the first one also `"topic-0":[],`.
      const partitionBytes = records.length > 0 ? 0 : partitionKey(record).length + 6;
      const grown = payloadBytes + bytes + 1 + partitionBytes;
      if (records.length > 0 && grown > this.#limits.maxPayloadBytes) break;
      payloadBytes = grown;
      records.push(record);
      this.#recordBytes -= bytes;
      this.#head += 1;
    }
    this.#dropTakenRecords();
    this.#changes.emit('taken');
    return records.length > 0 ? { records, payloadBytes } : undefined;
  }

  #timeUntilDueMs(now: number): number {
    const oldest = this.#queued[this.#head];
    if (!oldest) return Number.POSITIVE_INFINITY;
    return this.holdsBatches(1) ? 0 : oldest.arrivedAtMs + (this.#limits.windowMs ?? 0) - now;
  }

  // Moving the head keeps `take` linear in what it takes; the array is cut once half of it has been taken.
  #dropTakenRecords(): void {
    if (this.#head * 2 < this.#queued.length) return;
    this.#queued = this.#queued.slice(this.#head);
    this.#head = 0;
  }
}

/** The record's share of the JSON event. Base64 needs no escaping, so the long fields count by length. */
function recordBytes(record: MSKRecord): number {
  const { key, value, ...rest } = record;
  return (
    Buffer.byteLength(JSON.stringify(rest)) +
    (key === undefined ? 0 : key.length + '"key":"",'.length) +
    (value === undefined ? 0 : value.length + '"value":"",'.length)
  );
}
