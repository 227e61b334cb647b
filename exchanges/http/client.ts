import { setTimeout as sleep } from 'node:timers/promises';
import { bulkhead } from 'cockatiel';
import type * as z from 'zod';
import {
  RateLimitedError,
  SourceError,
  SourceUnavailableError,
  WrongPayloadError,
} from '../../core/ingest/source-errors.ts';
import { BACKOFFS, CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import type { Exchange } from '../exchange.ts';
import type { Answer, Ask, ExchangeRequest } from './ask.ts';
import { type ExchangeResponse, failureOf } from './failures.ts';

/** One HTTP exchange, as reported to the caller. */
export interface Traffic {
  url: string;
  /** undefined if there was no answer */
  status: number | undefined;
  /** The headers that say how much of a limit is used. */
  limits: Record<string, string>;
}

export interface ClientOptions {
  /** Replaces every host of the exchange. @default its own hosts */
  baseUrl?: string | undefined;
  /** Of one HTTP request. @default CALL_TIMEOUTS_MS.exchange */
  requestTimeoutMs?: number | undefined;
  onRetry?: ((retry: { attempt: number; delayMs: number; error: unknown }) => void) | undefined;
  onTraffic?: ((traffic: Traffic) => void) | undefined;
}

/** Starts a poll, which gives up at `deadlineMs` (epoch ms). */
export type OpenPoll = (poll: { deadlineMs: number }) => Ask;

interface RawAnswer {
  response: ExchangeResponse;
  receivedAt: string;
}

/**
 * HTTP GETs of JSON: timeouts, retries, pace, rate limits and cached answers, the same for every exchange. Its memory
 * outlives the poll, so a warm Lambda does not call before the time that the exchange named.
 */
export function exchangeClient(
  exchange: Pick<Exchange, 'name' | 'baseUrl' | 'pace' | 'limits' | 'apiFailure'>,
  options: ClientOptions = {},
): OpenPoll {
  const { requestTimeoutMs = CALL_TIMEOUTS_MS.exchange, onTraffic } = options;
  const { concurrency, perSecond } = exchange.pace;
  const slots = bulkhead(concurrency, Number.POSITIVE_INFINITY);
  /** Rate limits by base URL: each host counts separately. */
  const limits = new Map<string, RateLimitedError>();
  const kept = new Map<string, { untilMs: number; answer: Promise<Answer<unknown>> }>();
  /** When all requests so far would be due at the average rate. */
  let dueMs = 0;

  function remember(baseUrl: string, limit: RateLimitedError) {
    // A concurrent request may have been given a later time.
    const knownMs = limits.get(baseUrl)?.retryAtMs ?? 0;
    if ((limit.retryAtMs ?? 0) >= knownMs) limits.set(baseUrl, limit);
  }

  function throwIfLimited(baseUrl: string) {
    const limit = limits.get(baseUrl);
    if (limit && (limit.retryAtMs ?? 0) > Date.now()) throw limit;
    limits.delete(baseUrl);
  }

  /** @throws SourceUnavailableError if the request's turn comes after the deadline */
  async function waitForTurn(url: string, deadlineMs: number) {
    const nowMs = Date.now();
    const intervalMs = perSecond ? 1_000 / perSecond.requests : 0;
    const startMs = Math.max(nowMs, dueMs - ((perSecond?.burst ?? 1) - 1) * intervalMs);
    if (startMs >= deadlineMs) {
      throw new SourceUnavailableError(`${url} was not called: this poll ran out of time`, { url });
    }
    dueMs = Math.max(nowMs, dueMs) + intervalMs;
    if (startMs > nowMs) await sleep(startMs - nowMs);
  }

  async function attempt(baseUrl: string, url: string, deadlineMs: number): Promise<RawAnswer> {
    throwIfLimited(baseUrl);
    await waitForTurn(url, deadlineMs);
    throwIfLimited(baseUrl);
    const response = await get(url, Math.min(requestTimeoutMs, deadlineMs - Date.now()), onTraffic);
    const nowMs = Date.now();
    const failure = failureOf(exchange, response, { url, nowMs });
    if (failure instanceof RateLimitedError) remember(baseUrl, failure);
    if (failure) throw failure;
    return { response, receivedAt: new Date(nowMs).toISOString() };
  }

  return ({ deadlineMs }) => {
    const requested = new Map<string, Promise<RawAnswer>>();

    function request(baseUrl: string, url: string, optional: boolean): Promise<RawAnswer> {
      const running = requested.get(url);
      if (running) return running;
      const work = () => slots.execute(() => attempt(baseUrl, url, deadlineMs));
      const answer = optional ? work() : retryTransient(work, deadlineMs, options);
      requested.set(url, answer);
      return answer;
    }

    return async function ask<T>(
      { path, keepMs, optional = false, baseUrl: host = exchange.baseUrl }: ExchangeRequest,
      shape: z.ZodType<T>,
    ): Promise<Answer<T>> {
      const baseUrl = options.baseUrl ?? host;
      const url = `${baseUrl.replace(/\/+$/, '')}${path}`;
      const held = kept.get(url);
      if (keepMs !== undefined && held && held.untilMs > Date.now()) return held.answer as Promise<Answer<T>>;
      const answer = request(baseUrl, url, optional).then(({ response, receivedAt }) => ({
        value: read(exchange.name, url, response, shape),
        url,
        receivedAt,
      }));
      if (keepMs !== undefined) {
        kept.set(url, { untilMs: Date.now() + keepMs, answer });
        answer.catch(() => kept.delete(url));
      }
      return answer;
    };
  };
}

/** Retries what failed for a transient reason, no sooner than the exchange allows. */
export function retryTransient<T>(
  work: () => Promise<T>,
  deadlineMs: number,
  { onRetry }: Pick<ClientOptions, 'onRetry'>,
): Promise<T> {
  return retryUntilDeadline(work, {
    deadlineMs,
    ...BACKOFFS.exchange,
    isRetryable: (error) => error instanceof SourceError && error.retryable,
    retryAtMs: (error) => (error instanceof SourceError ? error.retryAtMs : undefined),
    ...(onRetry ? { onRetry } : {}),
  });
}

/** @throws WrongPayloadError naming the first difference from the documented shape */
function read<T>(exchange: string, url: string, { json, body }: ExchangeResponse, shape: z.ZodType<T>): T {
  if (json === undefined) throw notJson(exchange, url, body);
  const checked = shape.safeParse(json);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const difference = `${issue?.path.join('.') || 'the body'}: ${issue?.message}`;
  throw new WrongPayloadError(`${exchange}: ${url} does not have the documented shape: ${difference}`, {
    url,
    body,
    cause: checked.error,
  });
}

/** For an error page, or what a proxy answered. */
export function notJson(exchange: string, url: string, body: Uint8Array): WrongPayloadError {
  const start = JSON.stringify(new TextDecoder().decode(body.subarray(0, 60)));
  return new WrongPayloadError(
    `${exchange}: the answer of ${url} is not JSON (${body.length} bytes, starting ${start})`,
    { url, body },
  );
}

/** @throws SourceUnavailableError if no complete answer came in time */
async function get(
  url: string,
  timeoutMs: number,
  onTraffic: ClientOptions['onTraffic'],
): Promise<ExchangeResponse> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(Math.max(1, Math.floor(timeoutMs))),
      headers: { accept: 'application/json', 'user-agent': 'crypto-market-insights' },
    });
    const { status, headers } = response;
    const body = new Uint8Array(await response.arrayBuffer());
    onTraffic?.({ url, status, limits: limitHeaders(headers) });
    return { status, header: (name) => headers.get(name) ?? undefined, body, json: parseJson(body) };
  } catch (cause) {
    onTraffic?.({ url, status: undefined, limits: {} });
    throw new SourceUnavailableError(`${url} did not answer: ${rootMessage(cause)}`, { url, cause });
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

/** fetch hides the reason ("fetch failed") in its cause. */
function rootMessage(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  if (!(current instanceof Error)) return String(current);
  // If a host refuses on several addresses, Node gives a code but no message.
  return current.message || (current as NodeJS.ErrnoException).code || current.name;
}
