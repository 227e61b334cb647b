import type { MetricValues } from '../runtime/metrics.ts';
import type { IndexReport } from './index-batch.ts';
import type { DeliveredRecord } from './ports.ts';

/** A batch that has ended. Times are epoch ms. */
export interface EndedBatch {
  records: readonly DeliveredRecord[];
  /** Undefined if the batch threw: then all of it is delivered again. */
  report: IndexReport | undefined;
  /** Documents sent again, counted each time. */
  retried: number;
  openSearchMs: number;
  endedMs: number;
}

export function batchMetrics(batch: EndedBatch): MetricValues<'index'> {
  const { records, report, retried, openSearchMs, endedMs } = batch;
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
