import { type Client, errors } from '@opensearch-project/opensearch';
import { BACKOFFS, CALL_TIMEOUTS_MS } from '../domain/budgets.ts';
import { retryUntilDeadline } from '../domain/retry.ts';
import { type BulkItem, bulkOutcome } from '../index/bulk-outcome.ts';
import type { DocumentOutcome } from '../index/ports.ts';

/**
 * One action of a bulk request. `create` leaves a document that is there as it is, `index` replaces it; `source` is
 * the document's JSON on one line. To delete what is not there counts as stored.
 */
export type BulkAction =
  | { kind: 'create' | 'index'; index: string; id: string; source: string }
  | { kind: 'delete'; index: string; id: string };

export interface OpenSearchBulkOptions {
  /** Of one bulk request. @default 5 MiB */
  maxRequestBytes?: number;
  /** Bulk requests under way at once. @default 2 */
  connections?: number;
  onRetry?: (retry: { attempt: number; delayMs: number; error: unknown }) => void;
}

/** Some documents of a request could not be stored yet. */
class DocumentsPendingError extends Error {
  override readonly name = 'DocumentsPendingError';
}

/** Writes many documents with `_bulk`: in requests of a sensible size, each document until it has a final outcome. */
export class OpenSearchBulk {
  readonly #client: Client;
  readonly #options: Required<Omit<OpenSearchBulkOptions, 'onRetry'>> & OpenSearchBulkOptions;

  constructor(client: Client, options: OpenSearchBulkOptions = {}) {
    this.#client = client;
    this.#options = { maxRequestBytes: 5 * 1024 * 1024, connections: 2, ...options };
  }

  /**
   * Does the actions, in no particular order among themselves; one outcome each, in their order. `retry` are those
   * that were not done by `deadlineMs` (epoch ms).
   */
  async write(actions: readonly BulkAction[], deadlineMs: number): Promise<DocumentOutcome[]> {
    const outcomes: DocumentOutcome[] = new Array(actions.length);
    const chunks = chunksOf(actions, this.#options.maxRequestBytes);
    const worker = async () => {
      for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
        await this.#writeChunk(actions, chunk, outcomes, deadlineMs);
      }
    };
    await Promise.all(Array.from({ length: this.#options.connections }, worker));
    return outcomes;
  }

  /** Does the actions at `positions` until each has a final outcome or the deadline comes. */
  async #writeChunk(
    actions: readonly BulkAction[],
    positions: number[],
    outcomes: DocumentOutcome[],
    deadlineMs: number,
  ): Promise<void> {
    let pending = positions;
    const attempt = async () => {
      const results = await this.#bulk(
        pending.map((position) => actions[position] as BulkAction),
        deadlineMs,
      );
      for (const [index, position] of pending.entries())
        outcomes[position] = results[index] as DocumentOutcome;
      pending = pending.filter((position) => outcomes[position]?.kind === 'retry');
      const first = pending[0] === undefined ? undefined : outcomes[pending[0]];
      if (first?.kind === 'retry') {
        throw new DocumentsPendingError(`${pending.length} documents are not stored yet: ${first.reason}`);
      }
    };
    try {
      await retryUntilDeadline(attempt, {
        deadlineMs,
        ...BACKOFFS.openSearch,
        isRetryable: (error) => error instanceof DocumentsPendingError,
        ...(this.#options.onRetry ? { onRetry: this.#options.onRetry } : {}),
      });
    } catch (error) {
      if (!(error instanceof DocumentsPendingError)) throw error;
      // The outcomes say `retry`; the caller decides.
    }
  }

  /** One bulk request. A request that fails as a whole is told as an outcome of each of its documents. */
  async #bulk(actions: readonly BulkAction[], deadlineMs: number): Promise<DocumentOutcome[]> {
    const body = bulkBody(actions);
    try {
      const response = await this.#client.transport.request(
        {
          method: 'POST',
          path: '/_bulk',
          bulkBody: body,
          querystring: { filter_path: 'errors,items.*.status,items.*.error' },
        },
        {
          requestTimeout: Math.max(1_000, Math.min(CALL_TIMEOUTS_MS.openSearch, deadlineMs - Date.now())),
        },
      );
      const items = (response.body as { items?: Partial<Record<BulkAction['kind'], BulkItem>>[] }).items;
      return actions.map(({ kind }, index) => outcomeOf(kind, items?.[index]?.[kind]));
    } catch (error) {
      return this.#wholeRequestFailed(actions, deadlineMs, error);
    }
  }

  async #wholeRequestFailed(
    actions: readonly BulkAction[],
    deadlineMs: number,
    error: unknown,
  ): Promise<DocumentOutcome[]> {
    if (!(error instanceof errors.OpenSearchClientError)) throw error;
    if (error instanceof errors.ResponseError) {
      const status = error.statusCode ?? 500;
      const aboutTheRequest = status === 400 || status === 413;
      if (aboutTheRequest && actions.length > 1) {
        // One document spoils the request (or it is too large): halve it until the one is alone.
        const middle = Math.ceil(actions.length / 2);
        const first = await this.#bulk(actions.slice(0, middle), deadlineMs);
        return [...first, ...(await this.#bulk(actions.slice(middle), deadlineMs))];
      }
      if (aboutTheRequest) {
        const outcome = bulkOutcome({ status, error: { type: error.name, reason: error.message } });
        return actions.map(() => outcome);
      }
      // Busy, ill, or not the server we think (404, 405): nothing that a document could be blamed for.
      return actions.map(() => ({ kind: 'retry', reason: `${status} ${error.name}: ${error.message}` }));
    }
    // No answer: refused, reset or timed out. It may have been stored; the ids make another try harmless.
    return actions.map(() => ({ kind: 'retry', reason: `${error.name}: ${error.message}` }));
  }
}

/**
 * The request's lines as bytes. They are written one by one into a buffer of the right size: putting the text together
 * first and encoding it afterwards takes ten times as long.
 */
function bulkBody(actions: readonly BulkAction[]): Buffer {
  const lines: string[] = [];
  let size = 0;
  for (const action of actions) {
    const head = `{"${action.kind}":{"_index":"${action.index}","_id":${JSON.stringify(action.id)}}}\n`;
    lines.push(head);
    size += Buffer.byteLength(head);
    if (action.kind === 'delete') continue;
    lines.push(action.source);
    size += Buffer.byteLength(action.source) + 1;
  }
  const body = Buffer.allocUnsafe(size);
  let end = 0;
  for (const line of lines) {
    end += body.write(line, end);
    if (!line.endsWith('\n')) body[end++] = LINE_END;
  }
  return body;
}

const LINE_END = 0x0a;

function outcomeOf(kind: BulkAction['kind'], item: BulkItem | undefined): DocumentOutcome {
  return kind === 'delete' && item?.status === 404 ? { kind: 'stored' } : bulkOutcome(item);
}

/** Positions of the actions, cut into requests of at most `maxBytes`. */
function chunksOf(actions: readonly BulkAction[], maxBytes: number): number[][] {
  const chunks: number[][] = [];
  let chunk: number[] = [];
  let bytes = 0;
  for (const [position, action] of actions.entries()) {
    const size = (action.kind === 'delete' ? 0 : action.source.length) + action.id.length + 64;
    if (chunk.length > 0 && bytes + size > maxBytes) {
      chunks.push(chunk);
      chunk = [];
      bytes = 0;
    }
    chunk.push(position);
    bytes += size;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}
