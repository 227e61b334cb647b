import type { DocumentOutcome } from '../../core/index/ports.ts';

/** What we ask OpenSearch to return of a bulk answer. */
export const FILTER_PATH = 'errors,items.*.status,items.*.error';

export type BulkKind = 'create' | 'index' | 'delete';

interface BulkItem {
  status?: number;
  error?: { type?: string; reason?: string; caused_by?: { reason?: string } };
}

const TRANSIENT_4XX: ReadonlySet<number> = new Set([401, 403, 408, 429]);

/**
 * What the answer for one document means:
 * - 2xx: stored. 409: the id exists, so an earlier delivery stored it.
 * - 408, 429 and 5xx: OpenSearch is busy or unwell. 401 and 403: a missing role or a cluster block, which says nothing
 *   about the document; nor does a status that bulk items never have (1xx, 3xx). A retry may succeed.
 * - any other 4xx: OpenSearch will never accept this document.
 */
export function bulkOutcome(item: BulkItem | undefined): DocumentOutcome {
  const status = item?.status;
  if (status === undefined) return { kind: 'retry', reason: 'OpenSearch gave no status for the document' };
  if (status >= 200 && status < 300) return { kind: 'stored' };
  if (status === 409) return { kind: 'alreadyThere' };
  const errorType = item?.error?.type ?? `status_${status}`;
  const because = item?.error?.caused_by?.reason;
  const reason = `${status} ${errorType}: ${item?.error?.reason ?? 'no reason given'}${because ? ` (${because})` : ''}`;
  const isPermanent = status >= 400 && status < 500 && !TRANSIENT_4XX.has(status);
  return isPermanent ? { kind: 'refused', errorType, reason } : { kind: 'retry', reason };
}

/** The outcome of each action, from the answer to a request that OpenSearch accepted. */
export function outcomesOf(kinds: readonly BulkKind[], answer: Buffer): DocumentOutcome[] {
  if (isAllCreated(answer, kinds.length)) return kinds.map(() => STORED);
  let items: Partial<Record<BulkKind, BulkItem>>[] | undefined;
  try {
    items = (JSON.parse(answer.toString('utf8')) as { items?: typeof items }).items;
  } catch {
    // Not an answer of OpenSearch: it says nothing about the documents.
  }
  return kinds.map((kind, index) => {
    const item = items?.[index]?.[kind];
    // Deleting a document that does not exist is a success.
    return kind === 'delete' && item?.status === 404 ? STORED : bulkOutcome(item);
  });
}

const STORED: DocumentOutcome = { kind: 'stored' };
const ALL_WELL = Buffer.from('{"errors":false,"items":[');
const CREATED = '{"create":{"status":201}},';
const OBJECT_END = Buffer.from('}');

/** Whether an answer says that every create succeeded: the usual case, compared byte by byte instead of parsed. */
function isAllCreated(answer: Buffer, count: number): boolean {
  const items = Buffer.alloc(count * CREATED.length, CREATED);
  items.write(']', items.length - 1);
  return answer.equals(Buffer.concat([ALL_WELL, items, OBJECT_END]));
}

/** The outcome of every document in a request that failed as a whole, for this status. */
export function wholeRequestOutcome(status: number, body: Buffer): DocumentOutcome {
  const error = errorIn(body);
  if (isAboutTheRequest(status)) return bulkOutcome({ status, error });
  // OpenSearch is busy or unwell, or this is another server (404, 405): no document is to blame.
  return { kind: 'retry', reason: `${status} ${error.type ?? 'no error'}: ${error.reason}` };
}

/** Whether a document made OpenSearch refuse the whole request, or the request is too large. */
export function isAboutTheRequest(status: number): boolean {
  return status === 400 || status === 413;
}

/** OpenSearch's reason for refusing a whole request, or the start of a proxy's answer. */
function errorIn(body: Buffer): { type?: string; reason: string } {
  const text = body.toString('utf8');
  try {
    const { error } = JSON.parse(text) as { error?: { type?: string; reason?: string } | string };
    if (typeof error === 'string') return { reason: error };
    if (error?.reason) return { ...(error.type ? { type: error.type } : {}), reason: error.reason };
  } catch {
    // Not JSON, so not OpenSearch's own answer.
  }
  return { reason: text.slice(0, 200) };
}
