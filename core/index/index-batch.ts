import { LATEST_MS } from '../market/time.ts';
import type { Log } from '../runtime/log.ts';
import { decodeValue } from './decode.ts';
import type {
  DeadLetter,
  DeadLetters,
  DeliveredRecord,
  IndexDocument,
  StreamPosition,
  TickerIndex,
} from './ports.ts';

/** What one event came to. */
export interface IndexReport {
  records: number;
  indexed: number;
  alreadyThere: number;
  /** Sent to the dead letters: poison, or refused by OpenSearch. */
  deadLetters: number;
  /** Records that are not stored yet and have to come again. */
  unstored: StreamPosition[];
}

/** Some records could not be stored in time. Thrown so that the event source delivers the batch again. */
export class IndexingIncompleteError extends Error {
  override readonly name = 'IndexingIncompleteError';
}

export interface IndexDependencies {
  index: TickerIndex;
  deadLetters: DeadLetters;
  log: Log;
  now: () => number;
}

/** A record's timestamp is whatever its producer wrote; one that is no time of ours counts as 1970. */
function isoTime(ms: number): string {
  return new Date(ms > 0 && ms <= LATEST_MS ? ms : 0).toISOString();
}

/**
 * Indexes an event's tickers. Whatever can never be indexed goes to the dead letters before this returns, so
 * that the rest of the batch is not held up by it; what may be stored later is reported as `unstored`.
 * @param deadlineMs epoch ms
 * @throws the dead letters' own error, when they cannot be written: then the whole batch has to come again
 */
export async function indexBatch(
  records: readonly DeliveredRecord[],
  deadlineMs: number,
  { index, deadLetters, log, now }: IndexDependencies,
): Promise<IndexReport & { firstReason?: string }> {
  const report: IndexReport & { firstReason?: string } = {
    records: records.length,
    indexed: 0,
    alreadyThere: 0,
    deadLetters: 0,
    unstored: [],
  };
  const letters: DeadLetter[] = [];
  const keep = (record: DeliveredRecord, error_type: string, reason: string) => {
    const { topic, partition, offset, timestamp } = record;
    const value_base64 = record.value ?? null;
    const times = { produced_at: isoTime(timestamp), first_seen: new Date(now()).toISOString() };
    letters.push({ v: 1, topic, partition, offset, value_base64, error_type, reason, ...times });
  };
  /** The records of the documents, in their order. */
  const sent: DeliveredRecord[] = [];
  function* documents(): Generator<IndexDocument> {
    for (const record of records) {
      const decoded = decodeValue(record.value);
      if ('reason' in decoded) keep(record, 'poison', decoded.reason);
      else {
        sent.push(record);
        yield decoded;
      }
    }
  }
  for (const [position, outcome] of (await index.create(documents(), deadlineMs)).entries()) {
    const record = sent[position];
    if (!record) continue;
    switch (outcome.kind) {
      case 'stored':
        report.indexed += 1;
        break;
      case 'alreadyThere':
        report.alreadyThere += 1;
        break;
      case 'retry':
        report.firstReason ??= outcome.reason;
        report.unstored.push({ topic: record.topic, partition: record.partition, offset: record.offset });
        break;
      case 'refused':
        keep(record, outcome.errorType, outcome.reason);
        break;
      default:
        outcome satisfies never;
    }
  }
  if (letters.length > 0) {
    await deadLetters.put(letters);
    report.deadLetters = letters.length;
    log.error('Records went to the dead letters', { deadLetters: letters.length, first: letters[0]?.reason });
  }
  return report;
}
