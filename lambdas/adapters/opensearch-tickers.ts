import { type Client, errors } from '@opensearch-project/opensearch';
import { retryUntilDeadline } from '../domain/retry.ts';
import { type BulkItem, bulkOutcome } from '../index/bulk-outcome.ts';
import type { DocumentOutcome, TickerDocument, TickerIndex } from '../index/ports.ts';

export interface OpenSearchTickersOptions {
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

/** The monthly ticker indices, written with `_bulk` creates. */
export class OpenSearchTickers implements TickerIndex {
  readonly #client: Client;
  readonly #options: Required<Omit<OpenSearchTickersOptions, 'onRetry'>> & OpenSearchTickersOptions;

  constructor(client: Client, options: OpenSearchTickersOptions = {}) {
    this.#client = client;
    this.#options = { maxRequestBytes: 5 * 1024 * 1024, connections: 2, ...options };
  }

  async create(documents: readonly TickerDocument[], deadlineMs: number): Promise<DocumentOutcome[]> {
    const outcomes: DocumentOutcome[] = new Array(documents.length);
    const chunks = chunksOf(documents, this.#options.maxRequestBytes);
    const worker = async () => {
      for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
        await this.#createChunk(documents, chunk, outcomes, deadlineMs);
      }
    };
    await Promise.all(Array.from({ length: this.#options.connections }, worker));
    return outcomes;
  }

  /** Creates the documents at `positions` until each has a final outcome or the deadline comes. */
  async #createChunk(
    documents: readonly TickerDocument[],
    positions: number[],
    outcomes: DocumentOutcome[],
    deadlineMs: number,
  ): Promise<void> {
    let pending = positions;
    const attempt = async () => {
      const results = await this.#bulk(
        pending.map((position) => documents[position] as TickerDocument),
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
        initialDelayMs: 200,
        maxDelayMs: 5_000,
        isRetryable: (error) => error instanceof DocumentsPendingError,
        ...(this.#options.onRetry ? { onRetry: this.#options.onRetry } : {}),
      });
    } catch (error) {
      if (!(error instanceof DocumentsPendingError)) throw error;
      // The outcomes say `retry`; the caller decides.
    }
  }

  /** One bulk request. A request that fails as a whole is told as an outcome of each of its documents. */
  async #bulk(documents: readonly TickerDocument[], deadlineMs: number): Promise<DocumentOutcome[]> {
    let body = '';
    for (const { index, id, source } of documents) {
      body += `{"create":{"_index":"${index}","_id":${JSON.stringify(id)}}}\n${source}\n`;
    }
    try {
      const response = await this.#client.transport.request(
        {
          method: 'POST',
          path: '/_bulk',
          bulkBody: body,
          querystring: { filter_path: 'errors,items.*.status,items.*.error' },
        },
        { requestTimeout: Math.max(1_000, Math.min(20_000, deadlineMs - Date.now())) },
      );
      const items = (response.body as { items?: { create?: BulkItem }[] }).items ?? [];
      return documents.map((_, index) => bulkOutcome(items[index]?.create));
    } catch (error) {
      return this.#wholeRequestFailed(documents, deadlineMs, error);
    }
  }

  async #wholeRequestFailed(
    documents: readonly TickerDocument[],
    deadlineMs: number,
    error: unknown,
  ): Promise<DocumentOutcome[]> {
    if (!(error instanceof errors.OpenSearchClientError)) throw error;
    if (error instanceof errors.ResponseError) {
      const status = error.statusCode ?? 500;
      const aboutTheRequest = status === 400 || status === 413;
      if (aboutTheRequest && documents.length > 1) {
        // One document spoils the request (or it is too large): halve it until the one is alone.
        const middle = Math.ceil(documents.length / 2);
        const first = await this.#bulk(documents.slice(0, middle), deadlineMs);
        return [...first, ...(await this.#bulk(documents.slice(middle), deadlineMs))];
      }
      if (aboutTheRequest) {
        const outcome = bulkOutcome({ status, error: { type: error.name, reason: error.message } });
        return documents.map(() => outcome);
      }
      // Busy, ill, or not the server we think (404, 405): nothing that a document could be blamed for.
      return documents.map(() => ({ kind: 'retry', reason: `${status} ${error.name}: ${error.message}` }));
    }
    // No answer: refused, reset or timed out. It may have been stored; the ids make another try harmless.
    return documents.map(() => ({ kind: 'retry', reason: `${error.name}: ${error.message}` }));
  }
}

/** Positions of the documents, cut into requests of at most `maxBytes`. */
function chunksOf(documents: readonly TickerDocument[], maxBytes: number): number[][] {
  const chunks: number[][] = [];
  let chunk: number[] = [];
  let bytes = 0;
  for (const [position, document] of documents.entries()) {
    const size = document.source.length + document.id.length + 64;
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
