import { setTimeout as sleep } from 'node:timers/promises';
import { bulkhead } from 'cockatiel';
import type * as z from 'zod';
import {
  RateLimitedError,
  SourceError,
  SourceUnavailableError,
  WrongPayloadError,
} from '../core/ingest/source-errors.ts';
import { BACKOFFS, CALL_TIMEOUTS_MS } from '../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../core/runtime/retry.ts';
import type { Answer, Ask, ExchangeAdapter, ExchangeRequest, ExchangeResponse } from './exchange-adapter.ts';

/** What is seen of one HTTP answer from outside. */
export interface Traffic {
  url: string;
  /** undefined where nothing answered */
  status: number | undefined;
  /** The headers that tell how much of a limit is used. */
  limits: Record<string, string>;
}

export interface ExchangeClientOptions {
  exchange: string;
  adapter: Pick<ExchangeAdapter, 'defaultBaseUrl' | 'pace' | 'failureOf'>;
  /** Replaces every host of the exchange. @default the adapter's own */
  baseUrl?: string | undefined;
  /** For one HTTP request. @default CALL_TIMEOUTS_MS.exchange */
  requestTimeoutMs?: number | undefined;
  onRetry?: ((retry: { attempt: number; delayMs: number; error: unknown }) => void) | undefined;
  onTraffic?: ((traffic: Traffic) => void) | undefined;
}

interface RawAnswer {
  response: ExchangeResponse;
  receivedAt: string;
}

/**
 * HTTP GETs of JSON: timeouts, retries, pace, rate limits and kept answers in one place for every exchange.
 * What it remembers outlives the poll: a warm Lambda does not ask again before the time that the exchange named.
 * @returns opens a poll that gives up at `deadlineMs` (epoch ms)
 */
export function exchangeClient(options: ExchangeClientOptions): (poll: { deadlineMs: number }) => Ask {
  const { exchange, adapter, requestTimeoutMs = CALL_TIMEOUTS_MS.exchange } = options;
  const { concurrency, perSecond } = adapter.pace;
  const seats = bulkhead(concurrency, Number.POSITIVE_INFINITY);
  /** By base URL: hosts count for themselves. */
  const closedUntil = new Map<string, RateLimitedError>();
  const kept = new Map<string, { untilMs: number; answer: Promise<Answer<unknown>> }>();
  /** When the requests so far would all be due, had they come at the average pace. */
  let dueMs = 0;

  function close(baseUrl: string, limit: RateLimitedError) {
    // Another request may have been told a later time already.
    const known = closedUntil.get(baseUrl)?.retryAtMs ?? 0;
    if ((limit.retryAtMs ?? 0) >= known) closedUntil.set(baseUrl, limit);
  }

  function throwWhereClosed(baseUrl: string) {
    const limit = closedUntil.get(baseUrl);
    if (limit && (limit.retryAtMs ?? 0) > Date.now()) throw limit;
    closedUntil.delete(baseUrl);
  }

  /** Waits for a request's turn. @throws SourceUnavailableError where it would come after the deadline */
  async function turn(url: string, deadlineMs: number) {
    const nowMs = Date.now();
    const intervalMs = perSecond ? 1_000 / perSecond.requests : 0;
    const startMs = Math.max(nowMs, dueMs - ((perSecond?.burst ?? 1) - 1) * intervalMs);
    if (startMs >= deadlineMs) {
      throw new SourceUnavailableError(`${url} was not asked: the time of this poll was over`, { url });
    }
    dueMs = Math.max(nowMs, dueMs) + intervalMs;
    if (startMs > nowMs) await sleep(startMs - nowMs);
  }

  async function attempt(baseUrl: string, url: string, deadlineMs: number): Promise<RawAnswer> {
    throwWhereClosed(baseUrl);
    await turn(url, deadlineMs);
    throwWhereClosed(baseUrl);
    const response = await get(
      url,
      Math.min(requestTimeoutMs, deadlineMs - Date.now()),
      options.onTraffic ?? (() => {}),
    );
    const nowMs = Date.now();
    const failure = adapter.failureOf(response, { url, nowMs });
    if (failure instanceof RateLimitedError) close(baseUrl, failure);
    if (failure) throw failure;
    return { response, receivedAt: new Date(nowMs).toISOString() };
  }

  return ({ deadlineMs }) => {
    const asked = new Map<string, Promise<RawAnswer>>();

    function answerTo(baseUrl: string, url: string, optional: boolean): Promise<RawAnswer> {
      const running = asked.get(url);
      if (running) return running;
      const answer = retryUntilDeadline(() => seats.execute(() => attempt(baseUrl, url, deadlineMs)), {
        deadlineMs,
        ...BACKOFFS.exchange,
        isRetryable: (error) => !optional && error instanceof SourceError && error.retryable,
        retryAtMs: (error) => (error instanceof SourceError ? error.retryAtMs : undefined),
        ...(options.onRetry ? { onRetry: options.onRetry } : {}),
      });
      asked.set(url, answer);
      return answer;
    }

    async function ask<T>(request: ExchangeRequest, shape: z.ZodType<T>): Promise<Answer<T>> {
      const baseUrl = options.baseUrl ?? request.baseUrl ?? adapter.defaultBaseUrl;
      const url = `${baseUrl.replace(/\/+$/, '')}${request.path}`;
      const { keepMs } = request;
      if (keepMs === undefined) return readAnswer();
      const held = kept.get(url);
      if (held && held.untilMs > Date.now()) return held.answer as Promise<Answer<T>>;
      const answer = readAnswer();
      kept.set(url, { untilMs: Date.now() + keepMs, answer });
      // A failure is not kept.
      answer.catch(() => kept.delete(url));
      return answer;

      async function readAnswer(): Promise<Answer<T>> {
        const { response, receivedAt } = await answerTo(baseUrl, url, request.optional ?? false);
        return { value: read(exchange, url, response, shape), url, receivedAt };
      }
    }
    return ask;
  };
}

/** @throws WrongPayloadError naming the first difference from the documented shape */
function read<T>(exchange: string, url: string, response: ExchangeResponse, shape: z.ZodType<T>): T {
  if (response.json === undefined) {
    throw notJson(exchange, url, response.body);
  }
  const checked = shape.safeParse(response.json);
  if (checked.success) return checked.data;
  throw new WrongPayloadError(
    `${exchange}: ${url} answered another shape than its API documents: ${firstDifference(checked.error)}`,
    { url, body: response.body, cause: checked.error },
  );
}

/** What an answer is that a proxy gave, or a page for people. */
export function notJson(exchange: string, url: string, body: Uint8Array): WrongPayloadError {
  const start = JSON.stringify(new TextDecoder().decode(body.subarray(0, 60)));
  return new WrongPayloadError(
    `${exchange}: ${url} answered something that is not JSON (${body.length} bytes, starting ${start})`,
    { url, body },
  );
}

/** @throws SourceUnavailableError where there was no whole answer in time */
async function get(
  url: string,
  timeoutMs: number,
  onTraffic: (traffic: Traffic) => void,
): Promise<ExchangeResponse> {
  const seen = (status: number | undefined, headers: Headers) =>
    onTraffic({ url, status, limits: limitHeaders(headers) });
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(Math.max(1, Math.floor(timeoutMs))),
      headers: { accept: 'application/json', 'user-agent': 'crypto-market-insights' },
    });
    const body = new Uint8Array(await response.arrayBuffer());
    seen(response.status, response.headers);
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body,
      json: parseJson(body),
    };
  } catch (cause) {
    seen(undefined, new Headers());
    throw new SourceUnavailableError(`${url} gave no answer: ${rootMessage(cause)}`, { url, cause });
  }
}

/** `x-mbx-used-weight-1m`, `x-bapi-limit-status`, `retry-after`, … */
export function limitHeaders(headers: Iterable<[string, string]>): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => /limit|weight|retry-after|quota/i.test(name)));
}

/** JSON in UTF-8, or undefined. */
function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function firstDifference({ issues: [issue] }: z.ZodError): string {
  return issue ? `${issue.path.join('.') || 'the body'}: ${issue.message}` : 'unknown';
}

/** fetch hides the reason ("fetch failed") in its cause. */
function rootMessage(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  if (!(current instanceof Error)) return String(current);
  // Node gives a host that refused on several addresses no message, only a code.
  return current.message || (current as NodeJS.ErrnoException).code || current.name;
}
