import type { IncomingMessage } from 'node:http';
import type { Client } from '@opensearch-project/opensearch';
import { ConnectionError, OpenSearchClientError } from '@opensearch-project/opensearch/lib/errors.js';
import type { DocumentOutcome } from '../../core/index/ports.ts';
import { BACKOFFS, CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import { type BulkItem, bulkOutcome } from './bulk-outcome.ts';

/**
 * One action of a bulk request. `create` leaves a document that is there as it is, `index` replaces it; `source` is
 * the document's JSON on one line. To delete what is not there counts as stored.
 */
export type BulkAction =
  | { kind: 'create' | 'index'; index: string; id: string; source: string }
  | { kind: 'delete'; index: string; id: string };

/** All that writing takes of a client. */
export type BulkClient = Pick<Client, 'transport'>;

export interface OpenSearchBulkOptions {
  /** Of one bulk request. @default 5 MiB */
  maxRequestBytes?: number;
  /** Bulk requests under way at once. @default 2 */
  connections?: number;
  /** Told before documents are sent again, and how many. */
  onRetry?: (retry: { attempt: number; delayMs: number; error: unknown; documents: number }) => void;
}

/** Actions as the bytes of a request's lines. */
interface BulkRequest {
  kinds: BulkAction['kind'][];
  lines: Buffer;
  /** Where each action's lines end. */
  ends: number[];
  /** Where the lines lie, to be used again; of the parts of a request undefined. */
  memory?: Buffer;
  /** OpenSearch answered that it did it: nobody reads the lines any more. */
  isRead?: boolean;
}

/** What OpenSearch said to a request. */
interface BulkAnswer {
  status: number;
  body: Buffer;
}

/** Some documents of a request could not be stored yet. */
class DocumentsPendingError extends Error {
  override readonly name = 'DocumentsPendingError';
}

/** A request got no whole answer in its time. */
class NoAnswerInTimeError extends Error {
  override readonly name = 'NoAnswerInTimeError';
}

/**
 * Writes many documents with `_bulk`: in requests of a sensible size, each document until it has a final outcome.
 * Requests are made as bytes while others are under way; the documents themselves are let go.
 */
export class OpenSearchBulk {
  readonly #client: BulkClient;
  readonly #options: Required<Omit<OpenSearchBulkOptions, 'onRetry'>> & OpenSearchBulkOptions;
  /** Memory of requests that are over. New memory for each would have V8 collect its garbage far more often. */
  readonly #memory: Buffer[] = [];

  constructor(client: BulkClient, options: OpenSearchBulkOptions = {}) {
    this.#client = client;
    this.#options = { maxRequestBytes: 5 * 1024 * 1024, connections: 2, ...options };
  }

  /**
   * Does the actions, in no particular order among themselves; one outcome each, in their order. `retry` are those
   * that were not done by `deadlineMs` (epoch ms).
   */
  async write(actions: Iterable<BulkAction>, deadlineMs: number): Promise<DocumentOutcome[]> {
    const { maxRequestBytes, connections } = this.#options;
    const outcomes: DocumentOutcome[][] = [];
    const requests = requestsOf(actions, maxRequestBytes, () => this.#memory.pop());
    let made = 0;
    const worker = async () => {
      for (const request of requests) {
        const place = made++;
        outcomes[place] = await this.#untilSettled(request, deadlineMs);
        const { memory, isRead } = request;
        if (isRead && memory?.length === maxRequestBytes) this.#memory.push(memory);
      }
    };
    await Promise.all(Array.from({ length: connections }, worker));
    return outcomes.flat();
  }

  /** Does a request's actions until each has a final outcome or the deadline comes. */
  async #untilSettled(request: BulkRequest, deadlineMs: number): Promise<DocumentOutcome[]> {
    let outcomes: DocumentOutcome[] = [];
    let pending: number[] | undefined;
    const attempt = async () => {
      if (!pending) outcomes = await this.#send(request, deadlineMs);
      else {
        const again = await this.#send(partOf(request, pending), deadlineMs);
        for (const [index, position] of pending.entries())
          outcomes[position] = again[index] as DocumentOutcome;
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
      if (!(error instanceof DocumentsPendingError)) throw error;
      // The outcomes say `retry`; the caller decides.
    }
    return outcomes;
  }

  /** One bulk request. A request that fails as a whole is told as an outcome of each of its documents. */
  async #send(request: BulkRequest, deadlineMs: number): Promise<DocumentOutcome[]> {
    const timeoutMs = Math.max(1_000, Math.min(CALL_TIMEOUTS_MS.openSearch, deadlineMs - Date.now()));
    let answer: BulkAnswer;
    try {
      answer = await this.#post(request.lines, timeoutMs);
    } catch (error) {
      if (!(error instanceof OpenSearchClientError || error instanceof NoAnswerInTimeError)) throw error;
      // No answer: refused, reset or timed out. It may have been stored; the ids make another try harmless.
      const outcome = { kind: 'retry' as const, reason: `${error.name}: ${error.message}` };
      return request.kinds.map(() => outcome);
    }
    if (answer.status >= 400) return this.#wholeRequestFailed(request, deadlineMs, answer);
    request.isRead = true;
    return outcomesOf(request.kinds, answer.body);
  }

  async #wholeRequestFailed(
    request: BulkRequest,
    deadlineMs: number,
    { status, body }: BulkAnswer,
  ): Promise<DocumentOutcome[]> {
    const { kinds } = request;
    const error = errorIn(body);
    const aboutTheRequest = status === 400 || status === 413;
    if (aboutTheRequest && kinds.length > 1) {
      // One document spoils the request (or it is too large): halve it until the one is alone.
      const middle = Math.ceil(kinds.length / 2);
      const positions = [...kinds.keys()];
      const first = await this.#send(partOf(request, positions.slice(0, middle)), deadlineMs);
      return [...first, ...(await this.#send(partOf(request, positions.slice(middle)), deadlineMs))];
    }
    const outcome: DocumentOutcome = aboutTheRequest
      ? bulkOutcome({ status, error })
      : // Busy, ill, or not the server we think (404, 405): nothing that a document could be blamed for.
        { kind: 'retry', reason: `${status} ${error.type ?? 'no error'}: ${error.reason}` };
    return kinds.map(() => outcome);
  }

  /**
   * Asks for the statuses only, and reads the answer as bytes: the client would parse every answer, twice.
   * @throws OpenSearchClientError, NoAnswerInTimeError
   */
  async #post(lines: Buffer, timeoutMs: number): Promise<BulkAnswer> {
    const request = this.#client.transport.request(
      { method: 'POST', path: '/_bulk', bulkBody: lines, querystring: { filter_path: FILTER_PATH } },
      // The client's own time is over with the first line of an answer; ours goes on to its end.
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
      if (isOver) throw new NoAnswerInTimeError(`OpenSearch gave no whole answer within ${timeoutMs} ms`);
      if (stream) throw new ConnectionError(`the answer broke off: ${(error as Error).message}`);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What is kept of an answer: all that our decision takes. */
const FILTER_PATH = 'errors,items.*.status,items.*.error';

/** The actions cut into requests of at most `maxBytes` (a larger action stands alone), each made when it is asked for. */
function* requestsOf(
  actions: Iterable<BulkAction>,
  maxBytes: number,
  spareMemory: () => Buffer | undefined,
): Generator<BulkRequest> {
  let memory: Buffer | undefined;
  let kinds: BulkRequest['kinds'] = [];
  let ends: number[] = [];
  let end = 0;
  for (const action of actions) {
    const head = `{"${action.kind}":{"_index":"${action.index}","_id":${JSON.stringify(action.id)}}}\n`;
    const source = action.kind === 'delete' ? '' : action.source;
    // No character takes more than three bytes; to count them is only worth it where it is tight.
    if (!memory || (head.length + source.length) * 3 + 1 > memory.length - end) {
      const size = Buffer.byteLength(head) + Buffer.byteLength(source) + 1;
      if (!memory || size > memory.length - end) {
        if (memory) yield { kinds, lines: memory.subarray(0, end), ends, memory };
        memory =
          (size > maxBytes ? undefined : spareMemory()) ?? Buffer.allocUnsafe(Math.max(maxBytes, size));
        [kinds, ends, end] = [[], [], 0];
      }
    }
    end += memory.write(head, end);
    if (action.kind !== 'delete') {
      end += memory.write(source, end);
      memory[end++] = LINE_END;
    }
    kinds.push(action.kind);
    ends.push(end);
  }
  if (memory) yield { kinds, lines: memory.subarray(0, end), ends, memory };
}

const LINE_END = 0x0a;

/** The request of some of the actions. */
function partOf({ kinds, lines, ends }: BulkRequest, positions: readonly number[]): BulkRequest {
  const parts = positions.map((position) => lines.subarray(ends[position - 1] ?? 0, ends[position]));
  let end = 0;
  return {
    kinds: positions.map((position) => kinds[position] as BulkAction['kind']),
    lines: Buffer.concat(parts),
    ends: parts.map(({ length }) => {
      end += length;
      return end;
    }),
  };
}

const STORED: DocumentOutcome = { kind: 'stored' };

/** What an answer says of each action. */
function outcomesOf(kinds: readonly BulkAction['kind'][], answer: Buffer): DocumentOutcome[] {
  if (saysAllCreated(answer, kinds.length)) return kinds.map(() => STORED);
  let items: Partial<Record<BulkAction['kind'], BulkItem>>[] | undefined;
  try {
    items = (JSON.parse(answer.toString('utf8')) as { items?: typeof items }).items;
  } catch {
    // Whatever it is, it says nothing about the documents.
  }
  return kinds.map((kind, index) => outcomeOf(kind, items?.[index]?.[kind]));
}

/** Whether an answer is, to the byte, that of as many creates that all went well; then it need not be parsed. */
function saysAllCreated(answer: Buffer, count: number): boolean {
  const items = Buffer.alloc(count * CREATED.length, CREATED);
  items.write(']', items.length - 1);
  return answer.equals(Buffer.concat([ALL_WELL, items, OBJECT_END]));
}
const ALL_WELL = Buffer.from('{"errors":false,"items":[');
const CREATED = '{"create":{"status":201}},';
const OBJECT_END = Buffer.from('}');

function outcomeOf(kind: BulkAction['kind'], item: BulkItem | undefined): DocumentOutcome {
  return kind === 'delete' && item?.status === 404 ? { kind: 'stored' } : bulkOutcome(item);
}

/** The reason that a whole request failed for, in OpenSearch's words; a proxy's answer, as it came. */
function errorIn(body: Buffer): { type?: string; reason: string } {
  const text = body.toString('utf8');
  try {
    const { error } = JSON.parse(text) as { error?: { type?: string; reason?: string } | string };
    if (typeof error === 'string') return { reason: error };
    if (error?.reason) return { ...(error.type ? { type: error.type } : {}), reason: error.reason };
  } catch {
    // No JSON: no answer of OpenSearch's own.
  }
  return { reason: text.slice(0, 200) };
}
