import type { MSKEvent, MSKRecord } from 'aws-lambda';
import type { KafkaMessage } from 'kafkajs';

/** What every event of one mapping has in common. */
export interface EventOrigin {
  readonly eventSourceArn: string;
  /** Comma-separated, as Lambda writes it. */
  readonly bootstrapServers: string;
}

export interface BatchLimits {
  readonly maxRecords: number;
  /** Of the JSON event as the function receives it: base64 records and envelope. */
  readonly maxPayloadBytes: number;
}

/** The next records to hand over, and the size of the event that they make. */
export interface Batch {
  readonly records: readonly MSKRecord[];
  readonly payloadBytes: number;
}

/** The key of a partition in an event and in a batch response: `tickers-0`. */
export function partitionKey(record: { topic: string; partition: number }): string {
  return `${record.topic}-${record.partition}`;
}

/**
 * One Kafka record as Lambda hands it to a function: key and value in base64, header values as arrays of
 * bytes. A null key or value is left out. `timestampType` is always CREATE_TIME: kafkajs does not say which
 * of the two it was.
 */
export function toMskRecord(topic: string, partition: number, message: KafkaMessage): MSKRecord {
  const record: Partial<MSKRecord> = {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    timestampType: 'CREATE_TIME',
  };
  if (message.key !== null) record.key = message.key.toString('base64');
  if (message.value !== null) record.value = message.value.toString('base64');
  record.headers = Object.entries(message.headers ?? {}).flatMap(([name, values]) =>
    [values ?? []].flat().map((value) => ({ [name]: [...Buffer.from(value)] })),
  );
  return record as MSKRecord;
}

/** The event for these records; they keep their order within each partition. */
export function toMskEvent(records: readonly MSKRecord[], origin: EventOrigin): MSKEvent {
  const byPartition: MSKEvent['records'] = {};
  for (const record of records) {
    const key = partitionKey(record);
    const list = byPartition[key];
    if (list) list.push(record);
    else byPartition[key] = [record];
  }
  return {
    eventSource: 'aws:kafka',
    eventSourceArn: origin.eventSourceArn,
    bootstrapServers: origin.bootstrapServers,
    records: byPartition,
  };
}

/** By partition, the offset after the highest one among the records: what is committed once they are handled. */
export function nextOffsets(records: readonly MSKRecord[]): Map<number, number> {
  const next = new Map<number, number>();
  for (const { partition, offset } of records) {
    next.set(partition, Math.max(next.get(partition) ?? 0, offset + 1));
  }
  return next;
}

/** Two halves, in an order that keeps each partition's own when the first is handled before the second. */
export function bisect(records: readonly MSKRecord[]): [first: MSKRecord[], second: MSKRecord[]] {
  const middle = Math.ceil(records.length / 2);
  return [records.slice(0, middle), records.slice(middle)];
}

interface QueuedRecord {
  readonly record: MSKRecord;
  readonly bytes: number;
  readonly arrivedAtMs: number;
}

/** Records that have been fetched and wait to be handed over, first in, first out. */
export class RecordQueue {
  readonly #limits: BatchLimits;
  readonly #emptyEventBytes: number;
  #queued: QueuedRecord[] = [];
  #head = 0;
  #recordBytes = 0;

  constructor(limits: BatchLimits, origin: EventOrigin) {
    this.#limits = limits;
    this.#emptyEventBytes = Buffer.byteLength(JSON.stringify(toMskEvent([], origin)));
  }

  get records(): number {
    return this.#queued.length - this.#head;
  }

  /** When the record at the head arrived; undefined when the queue is empty. */
  get oldestArrivalMs(): number | undefined {
    return this.#queued[this.#head]?.arrivedAtMs;
  }

  /** Whether a batch at the limit can be formed, so that there is nothing to wait for. */
  get holdsFullBatch(): boolean {
    return this.holdsBatches(1);
  }

  /** Whether at least this many full batches are waiting. */
  holdsBatches(count: number): boolean {
    return (
      this.records >= count * this.#limits.maxRecords ||
      this.#recordBytes >= count * this.#limits.maxPayloadBytes
    );
  }

  push(record: MSKRecord, arrivedAtMs: number): void {
    const bytes = recordBytes(record);
    this.#queued.push({ record, bytes, arrivedAtMs });
    this.#recordBytes += bytes;
  }

  /**
   * Takes as many records as fit the limits, at least one: a single record above the payload limit comes
   * alone, with a `payloadBytes` that says so. Undefined when the queue is empty.
   */
  take(): Batch | undefined {
    const records: MSKRecord[] = [];
    const partitions = new Set<number>();
    let payloadBytes = this.#emptyEventBytes;
    while (records.length < this.#limits.maxRecords) {
      const next = this.#queued[this.#head];
      if (!next) break;
      const { record, bytes } = next;
      // A record costs itself and a comma, the first of a partition also `"topic-0":[],`.
      const partitionBytes = partitions.has(record.partition) ? 0 : partitionKey(record).length + 6;
      const grown = payloadBytes + bytes + 1 + partitionBytes;
      if (records.length > 0 && grown > this.#limits.maxPayloadBytes) break;
      payloadBytes = grown;
      records.push(record);
      partitions.add(record.partition);
      this.#recordBytes -= bytes;
      this.#head += 1;
    }
    this.#dropTakenRecords();
    return records.length > 0 ? { records, payloadBytes } : undefined;
  }

  clear(): void {
    this.#queued = [];
    this.#head = 0;
    this.#recordBytes = 0;
  }

  // Moving the head keeps `take` linear in what it takes; the array is cut once half of it is history.
  #dropTakenRecords(): void {
    if (this.#head * 2 < this.#queued.length) return;
    this.#queued = this.#queued.slice(this.#head);
    this.#head = 0;
  }
}

/** The record's share of the JSON event. Base64 never needs escaping, so the long fields count by length. */
function recordBytes(record: MSKRecord): number {
  const { key, value, ...rest } = record;
  return (
    Buffer.byteLength(JSON.stringify(rest)) +
    (key === undefined ? 0 : key.length + '"key":"",'.length) +
    (value === undefined ? 0 : value.length + '"value":"",'.length)
  );
}
