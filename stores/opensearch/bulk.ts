import type { IncomingMessage } from 'node:http';
import type { Client } from '@opensearch-project/opensearch';
import { ConnectionError, OpenSearchClientError } from '@opensearch-project/opensearch/lib/errors.js';
import type { DocumentOutcome } from '../../core/index/ports.ts';
import { BACKOFFS, CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import { FILTER_PATH, isAboutTheRequest, outcomesOf, wholeRequestOutcome } from './bulk-answer.ts';
import { type BulkAction, type BulkRequest, partOf, requestsOf } from './bulk-request.ts';

/** The part of a client that writing needs. */
export type BulkClient = Pick<Client, 'transport'>;

export interface BulkOptions {
  /** Of one bulk request. @default 5 MiB */
  maxRequestBytes?: number;
  /** Concurrent bulk requests. @default 2 */
  connections?: number;
  /** Called before documents are sent again. */
  onRetry?: (retry: { attempt: number; delayMs: number; error: unknown; documents: number }) => void;
}

/** Some documents of a request are not stored yet. */
class DocumentsPendingError extends Error {
  override readonly name = 'DocumentsPendingError';
}

interface BulkAnswer {
  status: number;
  body: Buffer;
}

class NoAnswerInTimeError extends Error {
  override readonly name = 'NoAnswerInTimeError';
}

/**
 * Writes many documents with `_bulk`, in requests of a sensible size, and retries each document until its outcome is
 * final. A request is built from the documents while others are in flight, and does not keep them.
 */
export class OpenSearchBulk {
  readonly #client: BulkClient;
  readonly #options: BulkOptions & { maxRequestBytes: number; connections: number };
  /** Buffers of finished requests. Allocating new ones would make V8 collect garbage far more often. */
  readonly #memory: Buffer[] = [];

  constructor(client: BulkClient, options: BulkOptions = {}) {
    this.#client = client;
    this.#options = { maxRequestBytes: 5 * 1024 * 1024, connections: 2, ...options };
  }

  /**
   * Performs the actions in no particular order and returns their outcomes in the given order. `retry` means not done
   * by `deadlineMs` (epoch ms).
   */
  async write(actions: Iterable<BulkAction>, deadlineMs: number): Promise<DocumentOutcome[]> {
    const { maxRequestBytes, connections } = this.#options;
    const outcomes: DocumentOutcome[][] = [];
    const requests = requestsOf(actions, maxRequestBytes, () => this.#memory.pop());
    let started = 0;
    const worker = async () => {
      for (const request of requests) {
        const place = started++;
        outcomes[place] = await this.#sendUntilFinal(request, deadlineMs);
        const { memory, isRead } = request;
        if (isRead && memory?.length === maxRequestBytes) this.#memory.push(memory);
      }
    };
    await Promise.all(Array.from({ length: connections }, worker));
    return outcomes.flat();
  }

  async #sendUntilFinal(request: BulkRequest, deadlineMs: number): Promise<DocumentOutcome[]> {
    let outcomes: DocumentOutcome[] = [];
    let pending: number[] | undefined;
    const attempt = async () => {
      if (!pending) outcomes = await this.#send(request, deadlineMs);
      else {
        const again = await this.#send(partOf(request, pending), deadlineMs);
        for (const [index, position] of pending.entries()) {
          outcomes[position] = again[index] as DocumentOutcome;
        }
      }
      pending = outcomes.flatMap(({ kind }, position) => (kind === 'retry' ? position : []));
      const first = pending[0] === undefined ? undefined : outcomes[pending[0]];
      if (first?.kind === 'retry') {
        throw new DocumentsPendingError(`${pending.length} documents are not stored yet: ${first.reason}`);
      }
    };
    const { onRetry } = this.#options;
    try {
      await retryUntilDeadline(attempt, {
        deadlineMs,
        ...BACKOFFS.openSearch,
        isRetryable: (error) => error instanceof DocumentsPendingError,
        ...(onRetry ? { onRetry: (retry) => onRetry({ ...retry, documents: pending?.length ?? 0 }) } : {}),
      });
    } catch (error) {
      // Otherwise the outcomes say `retry`, and the caller decides.
      if (!(error instanceof DocumentsPendingError)) throw error;
    }
    return outcomes;
  }

  /** Sends one bulk request. If it fails as a whole, each of its documents gets that outcome. */
  async #send(request: BulkRequest, deadlineMs: number): Promise<DocumentOutcome[]> {
    const { kinds } = request;
    const timeoutMs = Math.max(1_000, Math.min(CALL_TIMEOUTS_MS.openSearch, deadlineMs - Date.now()));
    let answer: BulkAnswer;
    try {
      answer = await this.#post(request.lines, timeoutMs);
    } catch (error) {
      if (!(error instanceof OpenSearchClientError || error instanceof NoAnswerInTimeError)) throw error;
      // Refused, reset or timed out. The documents may have been stored; their ids make another attempt harmless.
      const outcome = { kind: 'retry' as const, reason: `${error.name}: ${error.message}` };
      return kinds.map(() => outcome);
    }
    const { status, body } = answer;
    if (status < 400) {
      request.isRead = true;
      return outcomesOf(kinds, body);
    }
    if (isAboutTheRequest(status) && kinds.length > 1) {
      // Halve the request until the document that spoils it is alone.
      const middle = Math.ceil(kinds.length / 2);
      const positions = [...kinds.keys()];
      const first = await this.#send(partOf(request, positions.slice(0, middle)), deadlineMs);
      return [...first, ...(await this.#send(partOf(request, positions.slice(middle)), deadlineMs))];
    }
    const outcome = wholeRequestOutcome(status, body);
    return kinds.map(() => outcome);
  }

  /**
   * Reads the answer as bytes, because the client would parse each one twice.
   * @throws OpenSearchClientError, NoAnswerInTimeError
   */
  async #post(lines: Buffer, timeoutMs: number): Promise<BulkAnswer> {
    const request = this.#client.transport.request(
      { method: 'POST', path: '/_bulk', bulkBody: lines, querystring: { filter_path: FILTER_PATH } },
      // The client's timeout ends with the answer's headers; ours covers the body, too.
      { asStream: true, requestTimeout: timeoutMs + 1_000 },
    );
    let stream: IncomingMessage | undefined;
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      request.abort();
      stream?.destroy();
    }, timeoutMs);
    try {
      const { statusCode, body } = await request;
      stream = body as IncomingMessage;
      const parts: Buffer[] = [];
      for await (const part of stream) parts.push(part as Buffer);
      return { status: statusCode ?? 0, body: Buffer.concat(parts) };
    } catch (error) {
      if (isOver) throw new NoAnswerInTimeError(`OpenSearch gave no complete answer within ${timeoutMs} ms`);
      if (stream) throw new ConnectionError(`the answer broke off: ${(error as Error).message}`);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
