/** The error of a document or a whole request, as OpenSearch describes it. */
export interface BulkError {
  type?: string;
  reason?: string;
  caused_by?: { type?: string; reason?: string };
}

const ANY_REASON = /^/;

/**
 * The errors of documents, by type, as OpenSearch 3.5 gives them. Types that it uses for faults of requests
 * and indices too, such as a template over its field limit, need the reason. Any other error is about the
 * index, the cluster or our access to it, and may be transient.
 */
const DOCUMENT_ERRORS: ReadonlyMap<string, RegExp> = new Map([
  ['mapper_parsing_exception', ANY_REASON],
  ['document_parsing_exception', ANY_REASON],
  ['strict_dynamic_mapping_exception', ANY_REASON],
  ['illegal_argument_exception', /^Document contains at least one immense term/],
  ['action_request_validation_exception', /\bid \[.*\] is too long/s],
]);

/** These never say anything about a document: sign-in, rights and blocks, timeouts, a full queue. */
const TRANSIENT_4XX: ReadonlySet<number> = new Set([401, 403, 408, 429]);

/** Whether an error is the document's own, so that OpenSearch will never accept it. */
export function isDocumentsOwn(status: number, error: BulkError | undefined): boolean {
  if (status === 413) return true; // larger than a request may be
  if (status < 400 || status >= 500 || TRANSIENT_4XX.has(status)) return false;
  return DOCUMENT_ERRORS.get(error?.type ?? '')?.test(error?.reason ?? '') ?? false;
}
