import type { MSKEvent, MSKRecord } from 'aws-lambda';
import type { KafkaMessage } from 'kafkajs';

/** The fields that all events of one mapping share. */
export interface EventOrigin {
  readonly eventSourceArn: string;
  /** Comma-separated, as Lambda writes it. */
  readonly bootstrapServers: string;
}

/** The key of a partition in an event and in a batch response: `tickers-0`. */
export function partitionKey(record: { topic: string; partition: number }): string {
  return `${record.topic}-${record.partition}`;
}

/**
 * A Kafka record as Lambda passes it to a function: key and value in base64, header values as arrays of bytes, a null
 * key or value omitted. `timestampType` is always CREATE_TIME because kafkajs does not report it.
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

/** The event for these records, which keep their order within each partition. */
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

/** By partition, the offset to commit once these records are handled. */
export function nextOffsets(records: readonly MSKRecord[]): Map<number, number> {
  const next = new Map<number, number>();
  for (const { partition, offset } of records) {
    next.set(partition, Math.max(next.get(partition) ?? 0, offset + 1));
  }
  return next;
}

/** Splits the records in two. Handling the first half first keeps the order of each partition. */
export function bisect(records: readonly MSKRecord[]): [first: MSKRecord[], second: MSKRecord[]] {
  const middle = Math.ceil(records.length / 2);
  return [records.slice(0, middle), records.slice(middle)];
}
