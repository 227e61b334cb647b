import * as z from 'zod';
import { retryUntilDeadline } from '../../domain/retry.ts';
import type { Category } from '../../domain/ticker.ts';
import { RateLimitedError, SourceError, SourceUnavailableError, WrongPayloadError } from './errors.ts';
import type {
  ExchangeAdapter,
  ExchangeRequest,
  ExchangeResponse,
  ResponseContext,
} from './exchange-adapter.ts';
import type { NormalisedBatch } from './normalise.ts';

/** What one category of a poll came to: its batch, or why there is none. */
export type CategoryOutcome =
  | { category: Category; url: string; receivedAt: string; batch: NormalisedBatch }
  | { category: Category; url: string; receivedAt: string; error: SourceError };

/** Where tickers come from. */
export interface TickerSource {
  readonly name: string;
  readonly exchange: string;
  readonly categories: readonly Category[];
  /**
   * Asks for the categories, one outcome each, in their order; never rejects for what the exchange did.
   * Gives up at `deadlineMs` (epoch ms).
   */
  fetch(
    categories: readonly Category[],
    poll: { slot: string; deadlineMs: number },
  ): Promise<CategoryOutcome[]>;
}

export interface HttpSourceOptions {
  name: string;
  exchange: string;
  categories: readonly Category[];
  adapter: ExchangeAdapter;
  /** @default the adapter's own */
  baseUrl?: string | undefined;
  /** For one HTTP request. @default 10,000 */
  requestTimeoutMs?: number;
  onRetry?: (retry: { attempt: number; delayMs: number; error: unknown }) => void;
}

/** A source behind HTTP GETs of JSON: timeouts, retries and rate limits in one place for every exchange. */
export function httpSource(options: HttpSourceOptions): TickerSource {
  const { adapter, requestTimeoutMs = 10_000 } = options;
  const baseUrl = (options.baseUrl ?? adapter.defaultBaseUrl).replace(/\/+$/, '');
  // Outlives the invocation: a warm Lambda does not ask again before the time that the exchange named.
  let closedUntil: RateLimitedError | undefined;

  function close(limit: RateLimitedError) {
    // Another category may have been told a later time already.
    if ((limit.retryAtMs ?? 0) >= (closedUntil?.retryAtMs ?? 0)) closedUntil = limit;
  }

  async function request(exchangeRequest: ExchangeRequest, poll: { slot: string; deadlineMs: number }) {
    const url = `${baseUrl}${exchangeRequest.path}`;
    if (closedUntil && (closedUntil.retryAtMs ?? 0) > Date.now()) throw closedUntil;
    closedUntil = undefined;
    const response = await get(url, Math.min(requestTimeoutMs, poll.deadlineMs - Date.now()));
    const nowMs = Date.now();
    const context: ResponseContext = {
      exchange: options.exchange,
      url,
      slot: poll.slot,
      receivedAt: new Date(nowMs).toISOString(),
      nowMs,
    };
    const failure = adapter.failureOf(response, context);
    if (failure instanceof RateLimitedError) close(failure);
    if (failure) throw failure;
    return { receivedAt: context.receivedAt, batches: read(response, exchangeRequest, context) };
  }

  function read(response: ExchangeResponse, exchangeRequest: ExchangeRequest, context: ResponseContext) {
    if (response.json === undefined) {
      throw new WrongPayloadError(
        `${options.exchange}: ${context.url} answered something that is not JSON (${response.body.length} bytes, starting ${JSON.stringify(new TextDecoder().decode(response.body.subarray(0, 60)))})`,
        { url: context.url, body: response.body },
      );
    }
    try {
      return adapter.read(response.json, exchangeRequest, context);
    } catch (cause) {
      throw new WrongPayloadError(
        `${options.exchange}: ${context.url} answered another shape than its API documents: ${firstDifference(cause)}`,
        { url: context.url, body: response.body, cause },
      );
    }
  }

  return {
    name: options.name,
    exchange: options.exchange,
    categories: options.categories,
    async fetch(categories, poll) {
      const answers = adapter
        .requests(categories)
        .map(async (exchangeRequest): Promise<CategoryOutcome[]> => {
          const url = `${baseUrl}${exchangeRequest.path}`;
          try {
            const { receivedAt, batches } = await retryUntilDeadline(() => request(exchangeRequest, poll), {
              deadlineMs: poll.deadlineMs,
              initialDelayMs: 250,
              maxDelayMs: 8_000,
              isRetryable: (error) => error instanceof SourceError && error.retryable,
              retryAtMs: (error) => (error instanceof SourceError ? error.retryAtMs : undefined),
              ...(options.onRetry ? { onRetry: options.onRetry } : {}),
            });
            return exchangeRequest.categories.map((category) => ({
              category,
              url,
              receivedAt,
              batch: batches.get(category) ?? { tickers: [], rejected: [] },
            }));
          } catch (error) {
            if (!(error instanceof SourceError)) throw error;
            const receivedAt = new Date().toISOString();
            return exchangeRequest.categories.map((category) => ({ category, url, receivedAt, error }));
          }
        });
      return (await Promise.all(answers)).flat();
    },
  };
}

/** @throws SourceUnavailableError where there was no whole answer in time */
async function get(url: string, timeoutMs: number): Promise<ExchangeResponse> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(Math.max(1, Math.floor(timeoutMs))),
      headers: { accept: 'application/json', 'user-agent': 'crypto-market-insights' },
    });
    const body = new Uint8Array(await response.arrayBuffer());
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body,
      json: parseJson(body),
    };
  } catch (cause) {
    throw new SourceUnavailableError(`${url} gave no answer: ${rootMessage(cause)}`, { url, cause });
  }
}

/** JSON in UTF-8, or undefined. */
function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function firstDifference(cause: unknown): string {
  const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
  if (issue) return `${issue.path.join('.') || 'the body'}: ${issue.message}`;
  return cause instanceof Error ? cause.message : String(cause);
}

/** fetch hides the reason ("fetch failed") in its cause. */
function rootMessage(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  if (!(current instanceof Error)) return String(current);
  // Node gives a host that refused on several addresses no message, only a code.
  return current.message || (current as NodeJS.ErrnoException).code || current.name;
}
