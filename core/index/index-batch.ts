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

/** The outcome of one batch. */
export interface IndexReport {
  records: number;
  indexed: number;
  alreadyThere: number;
  /** Records that are not tickers or that OpenSearch refused. */
  deadLetters: number;
  /** Records that are not stored yet and have to be delivered again. */
  unstored: StreamPosition[];
  /** Why the first of them was not stored. */
  firstReason?: string;
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

/**
 * Indexes a batch of tickers. Records that can never be indexed are written to the dead letters before this returns, so
 * that they do not block the rest; records that may be stored later are reported as `unstored`.
 * @param deadlineMs epoch ms
 * @throws the error of writing dead letters; the whole batch then has to be delivered again
 */
export async function indexBatch(
  records: readonly DeliveredRecord[],
  deadlineMs: number,
  { index, deadLetters, log, now }: IndexDependencies,
): Promise<IndexReport> {
  const report: IndexReport = {
    records: records.length,
    indexed: 0,
    alreadyThere: 0,
    deadLetters: 0,
    unstored: [],
  };
  const letters: DeadLetter[] = [];
  /** The records of the documents, in their order. */
  const sent: DeliveredRecord[] = [];
  const nowMs = now();
  function* documents(): Generator<IndexDocument> {
    for (const record of records) {
      const decoded = decodeValue(record.value, nowMs);
      if ('reason' in decoded) letters.push(deadLetter(record, 'poison', decoded.reason, nowMs));
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
        letters.push(deadLetter(record, outcome.errorType, outcome.reason, nowMs));
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

function deadLetter(record: DeliveredRecord, error_type: string, reason: string, nowMs: number): DeadLetter {
  const { topic, partition, offset, timestamp, value } = record;
  // Producers may write any timestamp; one out of range becomes 1970.
  const producedMs = timestamp > 0 && timestamp <= LATEST_MS ? timestamp : 0;
  return {
    v: 1,
    topic,
    partition,
    offset,
    value_base64: value ?? null,
    error_type,
    reason,
    produced_at: new Date(producedMs).toISOString(),
    first_seen: new Date(nowMs).toISOString(),
  };
}
