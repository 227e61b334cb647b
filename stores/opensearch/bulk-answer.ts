import type { DocumentOutcome } from '../../core/index/ports.ts';
import { shorten } from '../../core/text/show.ts';
import { type BulkError, isDocumentsOwn } from './document-errors.ts';

/** What we ask OpenSearch to return of a bulk answer. */
export const FILTER_PATH = 'errors,items.*.status,items.*.error';

export type BulkKind = 'create' | 'index' | 'delete';

interface BulkItem {
  status?: number;
  error?: BulkError;
}

/** The meaning of an answer to a bulk request. */
export type BulkVerdict =
  /** OpenSearch has looked at each document. */
  | { kind: 'answered'; outcomes: DocumentOutcome[] }
  /** OpenSearch, or a proxy in front of it, refused the whole request. */
  | {
      kind: 'refused';
      errorType: string;
      reason: string;
      /** The request's size, or an error that only documents cause: a smaller part of it may be accepted. */
      isDocuments: boolean;
    }
  /** No answer, or one that says nothing about the request: the same one may be accepted later. */
  | { kind: 'unwell'; reason: string };

/**
 * What the answer for one document means:
 * - 2xx: stored. 409: the id exists, so an earlier delivery stored it.
 * - an error that is the document's own: OpenSearch will never accept it.
 * - anything else is about OpenSearch, the index or our access to it: a retry may succeed.
 */
export function bulkOutcome(item: BulkItem | undefined): DocumentOutcome {
  const { status, error } = item ?? {};
  if (status === undefined) return { kind: 'retry', reason: 'OpenSearch gave no status for the document' };
  if (status >= 200 && status < 300) return { kind: 'stored' };
  if (status === 409) return { kind: 'alreadyThere' };
  const { errorType, reason } = describe(status, error);
  return isDocumentsOwn(status, error) ? { kind: 'refused', errorType, reason } : { kind: 'retry', reason };
}

function describe(status: number, error: BulkError | undefined): { errorType: string; reason: string } {
  const errorType = error?.type ?? `status_${status}`;
  const because = error?.caused_by?.reason;
  const reason = `${status} ${errorType}: ${error?.reason ?? 'no reason given'}${because ? ` (${because})` : ''}`;
  return { errorType, reason: shorten(reason) };
}

/** What the answer to a request with actions of these kinds means. */
export function verdictOf(kinds: readonly BulkKind[], status: number, body: Buffer): BulkVerdict {
  if (status < 400) return { kind: 'answered', outcomes: outcomesOf(kinds, body) };
  const error = errorIn(body);
  const { errorType, reason } = describe(status, error);
  // Any other status comes from an unwell OpenSearch, or from another server (404, 405).
  if (status !== 400 && status !== 413) return { kind: 'unwell', reason };
  return { kind: 'refused', errorType, reason, isDocuments: status === 413 || isDocumentsOwn(status, error) };
}

/** The outcome of each action, from the answer to a request that OpenSearch accepted. */
function outcomesOf(kinds: readonly BulkKind[], answer: Buffer): DocumentOutcome[] {
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

/** OpenSearch's reason for refusing a whole request, or the start of a proxy's answer. */
function errorIn(body: Buffer): BulkError {
  const text = body.toString('utf8');
  try {
    const { error } = JSON.parse(text) as { error?: BulkError | string };
    if (typeof error === 'string') return { reason: error };
    if (error?.reason) return error;
  } catch {
    // Not JSON, so not OpenSearch's own answer.
  }
  return { reason: text.slice(0, 200) };
}
