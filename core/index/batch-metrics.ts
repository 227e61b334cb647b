import type { MetricValues } from '../runtime/metrics.ts';
import type { IndexReport } from './index-batch.ts';
import type { DeliveredRecord } from './ports.ts';

/** One batch, over. Times are epoch ms. */
export interface EndedBatch {
  records: readonly DeliveredRecord[];
  /** Undefined where the batch threw: then all of it has to come again. */
  report: IndexReport | undefined;
  /** Documents that were sent again, once for each time. */
  retried: number;
  openSearchMs: number;
  endedMs: number;
}

/** What a batch's metrics are. Of one that threw nothing is known but that its records come again. */
export function batchMetrics({
  records,
  report,
  retried,
  openSearchMs,
  endedMs,
}: EndedBatch): MetricValues<'index'> {
  let bytes = 0;
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const { value, timestamp } of records) {
    bytes += value?.length ?? 0;
    if (timestamp >= 0 && timestamp < oldestMs) oldestMs = timestamp;
  }
  return {
    RecordsReceived: records.length,
    DocumentsIndexed: report?.indexed ?? 0,
    DocumentsAlreadyThere: report?.alreadyThere ?? 0,
    DocumentsRetried: retried,
    DeadLetters: report?.deadLetters ?? 0,
    RecordsUnstored: report ? report.unstored.length : records.length,
    BatchBytes: bytes,
    OpenSearchDuration: openSearchMs,
    EventAge: Number.isFinite(oldestMs) ? endedMs - oldestMs : undefined,
  };
}
