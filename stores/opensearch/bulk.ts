import type { DocumentOutcome } from '../../core/index/ports.ts';
import { BACKOFFS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import type { BulkVerdict } from './bulk-answer.ts';
import { type BulkClient, BulkConnection } from './bulk-connection.ts';
import { type BulkAction, type BulkRequest, partOf, requestsOf } from './bulk-request.ts';

export interface BulkOptions {
  /** The size of one bulk request. @default 5 MiB */
  maxRequestBytes?: number;
  /** Concurrent bulk requests. @default 2 */
  connections?: number;
  /** Called before documents are sent again. */
  onRetry?: (retry: { attempt: number; delayMs: number; error: unknown; documents: number }) => void;
}

/** Some documents of a request are not stored yet. */
class DocumentsPendingError extends Error {
  override readonly name = 'DocumentsPendingError';
  /** Of all documents of the request. */
  readonly outcomes: readonly DocumentOutcome[];

  constructor(outcomes: readonly DocumentOutcome[], pending: number, reason: string) {
    super(`${pending} documents are not stored yet: ${reason}`);
    this.outcomes = outcomes;
  }
}

/**
 * Writes many documents with `_bulk`, in requests of a sensible size, and retries each document until its outcome is
 * final. A request is built from the documents while others are in flight, and does not keep them.
 */
export class OpenSearchBulk {
  readonly #connection: BulkConnection;
  readonly #options: BulkOptions & { maxRequestBytes: number; connections: number };
  /** Buffers of finished requests. Allocating new ones would make V8 collect garbage far more often. */
  readonly #memory: Buffer[] = [];

  constructor(client: BulkClient, options: BulkOptions = {}) {
    this.#connection = new BulkConnection(client);
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
      if (pending) {
        const again = await this.#send(partOf(request, pending), deadlineMs);
        outcomes = [...outcomes];
        for (const [index, position] of pending.entries()) {
          outcomes[position] = again[index] as DocumentOutcome;
        }
      } else outcomes = await this.#send(request, deadlineMs);
      pending = outcomes.flatMap(({ kind }, position) => (kind === 'retry' ? position : []));
      const first = pending[0] === undefined ? undefined : outcomes[pending[0]];
      if (first?.kind === 'retry') throw new DocumentsPendingError(outcomes, pending.length, first.reason);
    };
    const { onRetry } = this.#options;
    try {
      await retryUntilDeadline(attempt, {
        deadlineMs,
        ...BACKOFFS.openSearch,
        isRetryable: (error) => error instanceof DocumentsPendingError,
        retryAtMs: () => this.#connection.pausedUntilMs,
        ...(onRetry ? { onRetry: (retry) => onRetry({ ...retry, documents: pending?.length ?? 0 }) } : {}),
      });
    } catch (error) {
      if (!(error instanceof DocumentsPendingError)) throw error;
      // Not thrown: the caller decides by the outcomes, which may be newer than this error and say more.
      for (const position of pending ?? []) outcomes[position] = error.outcomes[position] as DocumentOutcome;
    }
    return outcomes;
  }

  /** Sends a request once. If it fails as a whole, each of its documents gets that outcome. */
  async #send(request: BulkRequest, deadlineMs: number): Promise<DocumentOutcome[]> {
    return this.#settle(request, await this.#connection.send(request, deadlineMs), deadlineMs);
  }

  /** @param isOtherAccepted whether OpenSearch accepted the other half of the same request */
  async #settle(
    request: BulkRequest,
    verdict: BulkVerdict,
    deadlineMs: number,
    isOtherAccepted = false,
  ): Promise<DocumentOutcome[]> {
    if (verdict.kind === 'answered') return verdict.outcomes;
    const { kinds } = request;
    if (verdict.kind === 'refused' && kinds.length > 1) return this.#sendHalves(request, verdict, deadlineMs);
    const { reason } = verdict;
    const isToBlame = verdict.kind === 'refused' && (verdict.isDocuments || isOtherAccepted);
    const outcome: DocumentOutcome = isToBlame
      ? { kind: 'refused', errorType: verdict.errorType, reason }
      : { kind: 'retry', reason };
    return kinds.map(() => outcome);
  }

  /**
   * Halves a refused request until the documents at fault are isolated. If both halves are refused for the
   * same reason, and it is not known to be a document's own, the request itself is at fault and may be
   * accepted later.
   */
  async #sendHalves(
    request: BulkRequest,
    { reason, isDocuments }: BulkVerdict & { kind: 'refused' },
    deadlineMs: number,
  ): Promise<DocumentOutcome[]> {
    const { kinds } = request;
    const middle = Math.ceil(kinds.length / 2);
    const positions = [...kinds.keys()];
    const [first, second] = [
      partOf(request, positions.slice(0, middle)),
      partOf(request, positions.slice(middle)),
    ];
    const ofFirst = await this.#connection.send(first, deadlineMs);
    const ofSecond = await this.#connection.send(second, deadlineMs);
    const isAlike = (verdict: BulkVerdict) => verdict.kind === 'refused' && verdict.reason === reason;
    if (!isDocuments && isAlike(ofFirst) && isAlike(ofSecond)) {
      return kinds.map(() => ({ kind: 'retry', reason }));
    }
    return [
      ...(await this.#settle(first, ofFirst, deadlineMs, ofSecond.kind === 'answered')),
      ...(await this.#settle(second, ofSecond, deadlineMs, ofFirst.kind === 'answered')),
    ];
  }
}
