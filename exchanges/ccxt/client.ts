import ccxt, { type Exchange, type MarketInterface } from 'ccxt';
import {
  RateLimitedError,
  RegionBlockedError,
  SourceError,
  SourceRefusedError,
  SourceUnavailableError,
  WrongPayloadError,
} from '../../core/ingest/source-errors.ts';
import type { Category } from '../../core/market/series.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import { CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { withinTime } from '../../core/runtime/wait.ts';
import type { Pace } from '../exchange.ts';
import { type ClientOptions, FALLBACK_KEPT_MS, notJson, retryTransient } from '../http/client.ts';
import { type ExchangeResponse, type FailureRules, failureOf, passes } from '../http/failures.ts';
import { fetchAnswer } from '../http/fetch-answer.ts';
import { limitHeaders, parseJson } from '../http/get.ts';
import { EXCHANGES } from '../registry.ts';
import { UnknownSourceError } from '../source-config.ts';
import { categoryOf, firstUrl, limitTo, onHost } from './markets.ts';

/** A rate limit, which applies to all categories of an exchange. */
export interface SharedLimit {
  current: RateLimitedError | undefined;
}

const MARKETS_KEPT_MS = 6 * HOUR_MS;

/** A default, because ccxt does not know how each exchange counts. */
const RULES: FailureRules = {
  limits: {
    isLimit: (status, text) =>
      status === 418 || (status === 403 && /too (frequent|many)|rate limit/i.test(text)),
    waitMs: () => 60_000,
  },
};

/** Those of our own client, if there is one: `binanceusdm` fails as `binance` does. */
function rulesOf(id: string): FailureRules {
  return EXCHANGES.find(({ name }) => id.startsWith(name)) ?? RULES;
}

interface Observed {
  url: string;
  response: ExchangeResponse;
}

/**
 * One category of an exchange that ccxt knows, called at the pace of ccxt's own rate limiter. Failures are
 * `SourceError`s, as with our own clients.
 */
export class CcxtClient {
  readonly exchange: Exchange;
  readonly #category: Category;
  readonly #options: ClientOptions;
  readonly #limit: SharedLimit;
  readonly #url: string;
  /** When to load the markets again. */
  #marketsDueMs = 0;
  /** The market with which the next poll begins, if each takes its own request. */
  nextMarket: string | undefined;
  /** Answers to the current attempt: the latest, the latest unsuccessful one, */
  #last: Observed | undefined;
  #failed: Observed | undefined;
  /** and the first that is not JSON, on which ccxt fails in unpredictable ways. */
  #unreadable: Observed | undefined;

  /**
   * @param id the exchange in ccxt
   * @throws UnknownSourceError if ccxt has no such exchange
   */
  constructor(id: string, category: Category, options: ClientOptions, limit: SharedLimit) {
    const Client = (ccxt.exchanges as readonly string[]).includes(id)
      ? (ccxt as unknown as Record<string, new (settings: object) => Exchange>)[id]
      : undefined;
    if (!Client) {
      throw new UnknownSourceError(
        `ccxt has no exchange "${id}". It lists them at https://docs.ccxt.com/#/?id=exchanges`,
      );
    }
    const timeout = options.requestTimeoutMs ?? CALL_TIMEOUTS_MS.exchange;
    this.exchange = new Client({ enableRateLimit: true, timeout });
    this.exchange.fetchImplementation = fetchAnswer;
    this.#category = category;
    this.#options = options;
    this.#limit = limit;
    const { urls } = this.exchange;
    if (options.baseUrl !== undefined) urls.api = onHost(urls.api, options.baseUrl) as typeof urls.api;
    this.#url = options.baseUrl ?? firstUrl(urls.api) ?? id;
    limitTo(category, this.exchange);
    this.#observe();
  }

  /** The pace of ccxt's rate limiter: one request of cost 1 every `rateLimit` ms. */
  get pace(): Pace {
    const { rateLimit = 0 } = this.exchange;
    return {
      concurrency: 1,
      ...(rateLimit > 0 ? { perSecond: { requests: 1_000 / rateLimit, burst: 1 } } : {}),
    };
  }

  /** The URL called last. */
  get lastUrl(): string {
    return this.#last?.url ?? this.#url;
  }

  /**
   * Runs `work`, and retries it after transient failures until `deadlineMs` (epoch ms).
   * @throws SourceError
   */
  ask<T>(deadlineMs: number, work: (exchange: Exchange) => Promise<T>): Promise<T> {
    return retryTransient(() => this.#attempt(deadlineMs, work), deadlineMs, this.#options);
  }

  /**
   * The markets of the category; the last good list if a new one is unavailable. Call it within {@link ask}.
   */
  async markets(): Promise<MarketInterface[]> {
    const { exchange } = this;
    if (exchange.markets === undefined || this.#marketsDueMs < Date.now()) await this.#loadMarkets();
    const all = Object.values<MarketInterface>(exchange.markets ?? {});
    const markets = all.filter((market) => categoryOf(market) === this.#category);
    if (markets.length === 0) {
      const others = [...new Set(all.map((market) => categoryOf(market)))].filter(Boolean);
      throw new SourceRefusedError(
        `${exchange.id} has no ${this.#category} markets; it has ${others.join(', ') || 'none'}. Change the source's categories`,
        { url: this.#url },
      );
    }
    return markets;
  }

  /** Loads the markets again soon, because one is missing. */
  reportMissingMarket(): void {
    this.#marketsDueMs = Math.min(this.#marketsDueMs, Date.now() + FALLBACK_KEPT_MS);
  }

  async #loadMarkets(): Promise<void> {
    try {
      // Without `true`, ccxt would also return a remembered failure.
      await this.exchange.loadMarkets(true);
      this.#marketsDueMs = Date.now() + MARKETS_KEPT_MS;
    } catch (cause) {
      const error = this.#failureOf(cause);
      if (this.exchange.markets === undefined || error instanceof RateLimitedError) throw error;
      this.#marketsDueMs = Date.now() + FALLBACK_KEPT_MS;
      this.#options.onFallback?.({ url: error.url, error });
      this.#forgetAnswers();
    }
  }

  #forgetAnswers(): void {
    this.#last = undefined;
    this.#failed = undefined;
    this.#unreadable = undefined;
  }

  async #attempt<T>(deadlineMs: number, work: (exchange: Exchange) => Promise<T>): Promise<T> {
    const limit = this.#limit.current;
    if (limit && (limit.retryAtMs ?? 0) > Date.now()) throw limit;
    this.#forgetAnswers();
    try {
      return await before(deadlineMs, this.#url, work(this.exchange));
    } catch (error) {
      const failure = this.#failureOf(error);
      if (!this.#last && failure instanceof SourceUnavailableError) {
        this.#options.onTraffic?.({ url: failure.url, status: undefined, limits: {} });
      }
      if (failure instanceof RateLimitedError) this.#limit.current = failure;
      throw failure;
    }
  }

  /** ccxt passes every answer to `onRestResponse` before it reads it. */
  #observe(): void {
    const { exchange } = this;
    const original = exchange.onRestResponse.bind(exchange);
    exchange.onRestResponse = (status, reason, url, method, headers, body, ...request) => {
      const named = new Headers(headers as Record<string, string>);
      const response: ExchangeResponse = {
        status,
        header: (name) => named.get(name) ?? undefined,
        body: new TextEncoder().encode(body),
        json: undefined,
      };
      this.#last = { url, response };
      if (status < 200 || status >= 300) this.#failed = this.#last;
      else if (!/^\s*[[{]/.test(body)) this.#unreadable ??= this.#last;
      this.#options.onTraffic?.({ url, status, limits: limitHeaders(named) });
      return original(status, reason, url, method, headers, body, ...(request as [unknown, unknown]));
    };
  }

  /** By the rules of our own client, which know more codes than the status. */
  #failureIn({ url, response }: Observed): SourceError | undefined {
    const answer = { ...response, json: parseJson(response.body) };
    return failureOf(rulesOf(this.exchange.id), answer, { url, nowMs: Date.now() });
  }

  #failureOf(error: unknown): SourceError {
    const { id } = this.exchange;
    if (this.#unreadable && !this.#failed) {
      const { url, response } = this.#unreadable;
      return this.#failureIn(this.#unreadable) ?? notJson(id, url, response.body);
    }
    if (error instanceof SourceError) return error;
    const observed = this.#failed ?? this.#last;
    const failure = observed && this.#failureIn(observed);
    if (failure) return failure;
    const cause = error as Error;
    const url = this.lastUrl;
    const message = `${id}: ${url}: ${cause.message.slice(0, 300)}`;
    if (error instanceof ccxt.RateLimitExceeded || error instanceof ccxt.DDoSProtection) {
      return new RateLimitedError(message, { url, retryAtMs: Date.now() + RULES.limits.waitMs(429) });
    }
    if (error instanceof ccxt.RestrictedLocation) return new RegionBlockedError(message, { url, cause });
    if (error instanceof ccxt.NetworkError) return new SourceUnavailableError(message, { url, cause });
    if (error instanceof ccxt.ExchangeError && passes(cause.message))
      return new SourceUnavailableError(message, { url, cause });
    if (error instanceof ccxt.ExchangeError && !(error instanceof ccxt.BadResponse)) {
      return new SourceRefusedError(message, { url, cause });
    }
    // On some unexpected answers, ccxt's own code fails.
    const body = this.#last?.response.body ?? new Uint8Array();
    return new WrongPayloadError(`${message} (ccxt could not read the answer)`, { url, body, cause });
  }
}

/** ccxt cannot be cancelled, so late work is left to its own timeout. */
function before<T>(deadlineMs: number, url: string, work: Promise<T>): Promise<T> {
  return withinTime(deadlineMs - Date.now(), work, () => {
    return new SourceUnavailableError(`${url} did not answer within the time of this poll`, { url });
  });
}
