import { setTimeout as sleep } from 'node:timers/promises';
import { bulkhead, type IPolicy } from 'cockatiel';
import type * as z from 'zod';
import {
  RateLimitedError,
  SourceError,
  SourceUnavailableError,
  WrongPayloadError,
} from '../../core/ingest/source-errors.ts';
import { MINUTE_MS } from '../../core/market/time.ts';
import { BACKOFFS, CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import type { Exchange, Pace } from '../exchange.ts';
import type { Answer, Ask, ExchangeRequest } from './ask.ts';
import { type ExchangeResponse, failureOf } from './failures.ts';
import { get, type Traffic } from './get.ts';

export interface ClientOptions {
  /** Replaces every host of the exchange. @default its own hosts */
  baseUrl?: string | undefined;
  /** Of one HTTP request. @default CALL_TIMEOUTS_MS.exchange */
  requestTimeoutMs?: number | undefined;
  onRetry?: ((retry: { attempt: number; delayMs: number; error: unknown }) => void) | undefined;
  onTraffic?: ((traffic: Traffic) => void) | undefined;
  /** Called when the last good answer of a kept request is used again, because a new one is unavailable. */
  onFallback?: ((fallback: { url: string; error: SourceError }) => void) | undefined;
}

/** How long the last good answer of a kept request is used before it is requested again. */
export const FALLBACK_KEPT_MS = 10 * MINUTE_MS;

interface RawAnswer {
  response: ExchangeResponse;
  receivedAt: string;
}

/** An answer that later polls may reuse. */
interface Kept {
  untilMs: number;
  answer: Promise<Answer<unknown>>;
}

/** The requests of one poll, by URL. */
interface Poll {
  deadlineMs: number;
  requested: Map<string, Promise<RawAnswer>>;
}

/**
 * HTTP GETs of JSON: timeouts, retries, pace, rate limits and cached answers, the same for every exchange. Its memory
 * outlives the poll, so a warm Lambda does not call before the time that the exchange named.
 */
export class ExchangeClient {
  readonly #exchange: Exchange;
  readonly #options: ClientOptions;
  readonly #slots: IPolicy;
  readonly #waitForTurn: WaitForTurn;
  /** Rate limits by base URL: each host counts separately. */
  readonly #limits = new Map<string, RateLimitedError>();
  readonly #kept = new Map<string, Kept>();

  constructor(exchange: Exchange, options: ClientOptions = {}) {
    this.#exchange = exchange;
    this.#options = options;
    this.#slots = bulkhead(exchange.pace.concurrency, Number.POSITIVE_INFINITY);
    this.#waitForTurn = atRate(exchange.pace.perSecond);
  }

  /** Starts a poll, which gives up at `deadlineMs` (epoch ms). */
  poll(deadlineMs: number): Ask {
    const poll: Poll = { deadlineMs, requested: new Map() };
    return (request, shape) => this.#ask(poll, request, shape);
  }

  async #ask<T>(poll: Poll, request: ExchangeRequest, shape: z.ZodType<T>): Promise<Answer<T>> {
    const { path, keepMs, optional = false } = request;
    const baseUrl = this.#options.baseUrl ?? request.baseUrl ?? this.#exchange.baseUrl;
    const url = `${baseUrl.replace(/\/+$/, '')}${path}`;
    const kept = keepMs === undefined ? undefined : this.#kept.get(url);
    const nowMs = Date.now();
    if (kept && kept.untilMs > nowMs) return kept.answer as Promise<Answer<T>>;
    // Optional requests may use only half of the poll's time.
    const deadlineMs = optional || kept ? nowMs + (poll.deadlineMs - nowMs) / 2 : poll.deadlineMs;
    const answer = this.#request(poll, baseUrl, url, deadlineMs).then(({ response, receivedAt }) => ({
      value: read(this.#exchange.name, url, response, shape),
      url,
      receivedAt,
    }));
    return keepMs === undefined ? answer : this.#keep(url, keepMs, answer, kept);
  }

  /** Keeps an answer. If it fails, the last good one is used some more. */
  #keep<T>(url: string, keepMs: number, answer: Promise<Answer<T>>, last?: Kept): Promise<Answer<T>> {
    const kept: Kept & { answer: Promise<Answer<T>> } = {
      untilMs: Date.now() + keepMs,
      answer: answer.catch((error) => {
        if (!last || !(error instanceof SourceError)) {
          this.#kept.delete(url);
          throw error;
        }
        kept.untilMs = Date.now() + Math.min(keepMs, FALLBACK_KEPT_MS);
        this.#options.onFallback?.({ url, error });
        return last.answer as Promise<Answer<T>>;
      }),
    };
    this.#kept.set(url, kept);
    return kept.answer;
  }

  #request({ requested }: Poll, baseUrl: string, url: string, deadlineMs: number): Promise<RawAnswer> {
    const running = requested.get(url);
    if (running) return running;
    const work = () => this.#slots.execute(() => this.#attempt(baseUrl, url, deadlineMs));
    const answer = retryTransient(work, deadlineMs, this.#options);
    requested.set(url, answer);
    return answer;
  }

  async #attempt(baseUrl: string, url: string, deadlineMs: number): Promise<RawAnswer> {
    const { requestTimeoutMs = CALL_TIMEOUTS_MS.exchange, onTraffic } = this.#options;
    this.#throwIfLimited(baseUrl);
    await this.#waitForTurn(url, deadlineMs);
    this.#throwIfLimited(baseUrl);
    const response = await get(url, Math.min(requestTimeoutMs, deadlineMs - Date.now()), onTraffic);
    const nowMs = Date.now();
    const failure = failureOf(this.#exchange, response, { url, nowMs });
    if (failure instanceof RateLimitedError) this.#remember(baseUrl, failure);
    if (failure) throw failure;
    return { response, receivedAt: new Date(nowMs).toISOString() };
  }

  #remember(baseUrl: string, limit: RateLimitedError): void {
    // A concurrent request may have been given a later time.
    const knownMs = this.#limits.get(baseUrl)?.retryAtMs ?? 0;
    if ((limit.retryAtMs ?? 0) >= knownMs) this.#limits.set(baseUrl, limit);
  }

  #throwIfLimited(baseUrl: string): void {
    const limit = this.#limits.get(baseUrl);
    if (limit && (limit.retryAtMs ?? 0) > Date.now()) throw limit;
    this.#limits.delete(baseUrl);
  }
}

/** @throws SourceUnavailableError if the turn comes after the deadline */
type WaitForTurn = (url: string, deadlineMs: number) => Promise<void>;

/** Spreads requests so that they keep an average rate. */
function atRate(rate: Pace['perSecond'] = { requests: Number.POSITIVE_INFINITY, burst: 1 }): WaitForTurn {
  const intervalMs = 1_000 / rate.requests;
  /** When all requests so far would be due at that rate. */
  let dueMs = 0;
  return async (url, deadlineMs) => {
    const nowMs = Date.now();
    const startMs = Math.max(nowMs, dueMs - (rate.burst - 1) * intervalMs);
    if (startMs >= deadlineMs) {
      throw new SourceUnavailableError(`${url} was not called: this poll ran out of time`, { url });
    }
    dueMs = Math.max(nowMs, dueMs) + intervalMs;
    if (startMs > nowMs) await sleep(startMs - nowMs);
  };
}

/** Retries what failed for a transient reason, no sooner than the exchange allows. */
export function retryTransient<T>(
  attempt: () => Promise<T>,
  deadlineMs: number,
  { onRetry }: Pick<ClientOptions, 'onRetry'>,
): Promise<T> {
  return retryUntilDeadline(attempt, {
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
