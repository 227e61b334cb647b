import type { MSKEvent } from 'aws-lambda';
import type { MetricValues } from '../runtime/metrics.ts';
import type { IndexReport } from './index-batch.ts';

/** One batch, over. Times are epoch ms. */
export interface EndedBatch {
  event: MSKEvent;
  /** Undefined where the batch threw: then all of it has to come again. */
  report: IndexReport | undefined;
  /** Documents that were sent again, once for each time. */
  retried: number;
  openSearchMs: number;
  endedMs: number;
}

/** What a batch's metrics are. Of one that threw nothing is known but that its records come again. */
export function batchMetrics({
  event,
  report,
  retried,
  openSearchMs,
  endedMs,
}: EndedBatch): MetricValues<'index'> {
  let records = 0;
  let bytes = 0;
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const ofPartition of Object.values(event.records)) {
    records += ofPartition.length;
    for (const { value, timestamp } of ofPartition) {
      bytes += (value as string | null | undefined)?.length ?? 0;
      // Kafka's way to say that a record has none is -1.
      if (timestamp >= 0 && timestamp < oldestMs) oldestMs = timestamp;
    }
  }
  return {
    RecordsReceived: records,
    DocumentsIndexed: report?.indexed ?? 0,
    DocumentsAlreadyThere: report?.alreadyThere ?? 0,
    DocumentsRetried: retried,
    DeadLetters: report?.deadLetters ?? 0,
    RecordsUnstored: report ? report.unstored.length : records,
    BatchBytes: bytes,
    OpenSearchDuration: openSearchMs,
    EventAge: Number.isFinite(oldestMs) ? endedMs - oldestMs : undefined,
  };
}
