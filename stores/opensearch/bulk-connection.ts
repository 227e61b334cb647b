import type { IncomingMessage } from 'node:http';
import type { Client } from '@opensearch-project/opensearch';
import { ConnectionError, OpenSearchClientError } from '@opensearch-project/opensearch/lib/errors.js';
import { CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { retryAfterMs } from '../../core/runtime/retry.ts';
import { type BulkVerdict, FILTER_PATH, verdictOf } from './bulk-answer.ts';
import type { BulkRequest } from './bulk-request.ts';

/** The part of a client that writing needs. */
export type BulkClient = Pick<Client, 'transport'>;

interface BulkAnswer {
  status: number;
  retryAfter: string;
  body: Buffer;
}

class NoAnswerInTimeError extends Error {
  override readonly name = 'NoAnswerInTimeError';
}

/**
 * The minimum even close to the deadline: with less time, OpenSearch would do the work and we would miss the
 * answer.
 */
const SHORTEST_TIMEOUT_MS = 1_000;
/** OpenSearch has to give up first. Otherwise it would still be working while we send the documents again. */
const SERVER_SHARE = 0.9;

/** Sends bulk requests one at a time, each once. */
export class BulkConnection {
  readonly #client: BulkClient;
  #pausedUntilMs = 0;

  constructor(client: BulkClient) {
    this.#client = client;
  }

  /** When OpenSearch wants to be asked again, epoch ms. */
  get pausedUntilMs(): number {
    return this.#pausedUntilMs;
  }

  /** Nothing is sent after the deadline (epoch ms), nor while OpenSearch asked for a pause. */
  async send(request: BulkRequest, deadlineMs: number): Promise<BulkVerdict> {
    const nowMs = Date.now();
    if (nowMs >= deadlineMs) return notSent('the time is over');
    if (nowMs < this.#pausedUntilMs) {
      return notSent(`OpenSearch asked for a pause until ${new Date(this.#pausedUntilMs).toISOString()}`);
    }
    const leftMs = Math.max(SHORTEST_TIMEOUT_MS, deadlineMs - nowMs);
    try {
      const answer = await this.#post(request.lines, Math.min(CALL_TIMEOUTS_MS.openSearch, leftMs));
      const verdict = verdictOf(request.kinds, answer.status, answer.body);
      if (verdict.kind === 'answered') request.isRead = true;
      if (verdict.kind === 'unwell') this.#pause(answer.retryAfter, deadlineMs);
      return verdict;
    } catch (error) {
      if (!(error instanceof OpenSearchClientError || error instanceof NoAnswerInTimeError)) throw error;
      // Refused, reset or timed out. The documents may have been stored; their ids make another attempt harmless.
      return { kind: 'unwell', reason: `${error.name}: ${error.message}` };
    }
  }

  /** Not beyond the deadline: the next invocation may ask again. */
  #pause(retryAfter: string, deadlineMs: number): void {
    const untilMs = Math.min(retryAfterMs(retryAfter, Date.now()), deadlineMs);
    if (untilMs > this.#pausedUntilMs) this.#pausedUntilMs = untilMs;
  }

  /**
   * Reads the answer as bytes, because the client would parse each one twice.
   * @throws OpenSearchClientError, NoAnswerInTimeError
   */
  async #post(lines: Buffer, timeoutMs: number): Promise<BulkAnswer> {
    const querystring = { filter_path: FILTER_PATH, timeout: `${Math.floor(timeoutMs * SERVER_SHARE)}ms` };
    const request = this.#client.transport.request(
      { method: 'POST', path: '/_bulk', bulkBody: lines, querystring },
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
      const { statusCode, headers, body } = await request;
      stream = body as IncomingMessage;
      const parts: Buffer[] = [];
      for await (const part of stream) parts.push(part as Buffer);
      const retryAfter = String(headers?.['retry-after'] ?? '');
      return { status: statusCode ?? 0, retryAfter, body: Buffer.concat(parts) };
    } catch (error) {
      if (isOver) throw new NoAnswerInTimeError(`OpenSearch gave no complete answer within ${timeoutMs} ms`);
      if (stream) throw new ConnectionError(`the answer broke off: ${(error as Error).message}`);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function notSent(reason: string): BulkVerdict {
  return { kind: 'unwell', reason };
}
