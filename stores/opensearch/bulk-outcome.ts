import type { DocumentOutcome } from '../../core/index/ports.ts';

/** One item of OpenSearch's bulk answer, as `filter_path=errors,items.*.status,items.*.error` leaves it. */
export interface BulkItem {
  status?: number;
  error?: { type?: string; reason?: string; caused_by?: { reason?: string } };
}

const PASSING_4XX: ReadonlySet<number> = new Set([401, 403, 408, 429]);

/**
 * What a bulk item's answer means for its document:
 * - 2xx: stored; 409: the id exists, an earlier delivery stored it.
 * - 408, 429 and 5xx: OpenSearch is busy or ill. 401 and 403: a role or a cluster block is in the way, which
 *   says nothing about the document. Nor does a status that no bulk item has (1xx, 3xx). All may succeed later.
 * - any other 4xx: this document will never be accepted as it is.
 */
export function bulkOutcome(item: BulkItem | undefined): DocumentOutcome {
  const status = item?.status;
  if (status === undefined) return { kind: 'retry', reason: 'OpenSearch gave no status for the document' };
  if (status >= 200 && status < 300) return { kind: 'stored' };
  if (status === 409) return { kind: 'alreadyThere' };
  const errorType = item?.error?.type ?? `status_${status}`;
  const because = item?.error?.caused_by?.reason;
  const reason = `${status} ${errorType}: ${item?.error?.reason ?? 'no reason given'}${because ? ` (${because})` : ''}`;
  const aboutTheDocument = status >= 400 && status < 500 && !PASSING_4XX.has(status);
  return aboutTheDocument ? { kind: 'refused', errorType, reason } : { kind: 'retry', reason };
}
