import { setTimeout as sleep } from 'node:timers/promises';
import ccxt, { type Exchange, type MarketInterface } from 'ccxt';
import {
  RateLimitedError,
  RegionBlockedError,
  SourceError,
  SourceRefusedError,
  SourceUnavailableError,
  WrongPayloadError,
} from '../core/ingest/source-errors.ts';
import type { Category } from '../core/market/series.ts';
import { BACKOFFS, CALL_TIMEOUTS_MS } from '../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../core/runtime/retry.ts';
import type { ExchangeResponse, Pace } from './exchange-adapter.ts';
import { limitHeaders, notJson } from './exchange-client.ts';
import { httpFailure, type RateLimitRules } from './http-failures.ts';
import { type SourceOptions, UnknownSourceError } from './source-config.ts';

/** A rate limit that one category is told counts for all. */
export interface SharedLimit {
  closedUntil: RateLimitedError | undefined;
}

const MARKETS_KEPT_MS = 6 * 60 * 60_000;
/** Where a market was met that is not in the list, as after a new listing. */
const INCOMPLETE_MARKETS_KEPT_MS = 10 * 60_000;

/** Where an exchange names no time; ccxt does not know how each of them counts. */
const LIMITS: RateLimitRules = {
  isLimit: (status, text) =>
    status === 418 || (status === 403 && /too (frequent|many)|rate limit/i.test(text)),
  waitMs: () => 60_000,
};

interface Observed {
  url: string;
  response: ExchangeResponse;
}

/**
 * One kind of markets of an exchange that ccxt knows, asked at the pace of ccxt's own rate limiter. What goes wrong is
 * a `SourceError`, as with the exchanges that we speak to ourselves.
 */
export class CcxtClient {
  readonly exchange: Exchange;
  readonly #category: Category;
  readonly #options: SourceOptions;
  readonly #limit: SharedLimit;
  readonly #url: string;
  #marketsLoadedMs = 0;
  #marketsIncomplete = false;
  /** Of the answers that the running attempt got: the last one, the last that was no success; */
  #last: Observed | undefined;
  #failed: Observed | undefined;
  /** the first that is no JSON: ccxt goes on with it, and stumbles somewhere. */
  #unreadable: Observed | undefined;

  /**
   * @param id of the exchange, as ccxt names it
   * @throws UnknownSourceError where ccxt has no such exchange
   */
  constructor(id: string, category: Category, options: SourceOptions, limit: SharedLimit) {
    const Client = (ccxt.exchanges as readonly string[]).includes(id)
      ? (ccxt as unknown as Record<string, new (settings: object) => Exchange>)[id]
      : undefined;
    if (!Client) {
      throw new UnknownSourceError(
        `ccxt has no exchange "${id}". Its list: https://docs.ccxt.com/#/?id=exchanges`,
      );
    }
    const timeout = options.requestTimeoutMs ?? CALL_TIMEOUTS_MS.exchange;
    const exchange = new Client({ enableRateLimit: true, timeout });
    this.exchange = exchange;
    this.#category = category;
    this.#options = options;
    this.#limit = limit;
    if (options.baseUrl !== undefined) {
      exchange.urls.api = redirected(exchange.urls.api, options.baseUrl) as typeof exchange.urls.api;
    }
    this.#url = options.baseUrl ?? firstUrl(exchange.urls.api) ?? exchange.id;
    // Deposits and withdrawals are no matter of ours: one request less.
    exchange.has.fetchCurrencies = false;
    exchange.options.defaultType = category === 'spot' || category === 'option' ? category : 'swap';
    if (category === 'linear' || category === 'inverse') exchange.options.defaultSubType = category;
    narrowMarketTypes(exchange.options, category);
    this.#observe();
  }

  /** What ccxt's rate limiter keeps to: so long between two requests of cost 1. */
  get pace(): Pace {
    const { rateLimit = 0 } = this.exchange;
    return {
      concurrency: 1,
      ...(rateLimit > 0 ? { perSecond: { requests: 1_000 / rateLimit, burst: 1 } } : {}),
    };
  }

  /** The URL that was asked last. */
  get seenUrl(): string {
    return this.#last?.url ?? this.#url;
  }

  /**
   * Does something with the exchange, again where that may help, until `deadlineMs` (epoch ms).
   * @throws SourceError
   */
  ask<T>(deadlineMs: number, work: (exchange: Exchange) => Promise<T>): Promise<T> {
    const { onRetry } = this.#options;
    return retryUntilDeadline(() => this.#attempt(deadlineMs, work), {
      deadlineMs,
      ...BACKOFFS.exchange,
      isRetryable: (error) => error instanceof SourceError && error.retryable,
      retryAtMs: (error) => (error instanceof SourceError ? error.retryAtMs : undefined),
      ...(onRetry ? { onRetry } : {}),
    });
  }

  /** The exchange's markets of the category; to be called within {@link ask}. */
  async markets(): Promise<MarketInterface[]> {
    const exchange = this.exchange;
    const keptMs = this.#marketsIncomplete ? INCOMPLETE_MARKETS_KEPT_MS : MARKETS_KEPT_MS;
    if (exchange.markets === undefined || this.#marketsLoadedMs + keptMs < Date.now()) {
      // ccxt remembers a failure, too, unless told to load again.
      await exchange.loadMarkets(true);
      this.#marketsLoadedMs = Date.now();
      this.#marketsIncomplete = false;
    }
    const all = Object.values<MarketInterface>(exchange.markets ?? {});
    const markets = all.filter((market) => categoryOf(market) === this.#category);
    if (markets.length === 0) {
      const others = [...new Set(all.map((market) => categoryOf(market)))].filter(Boolean);
      throw new SourceRefusedError(
        `${exchange.id} has no ${this.#category} markets; it has ${others.join(', ') || 'none'}. Set the source's categories`,
        { url: this.#url },
      );
    }
    return markets;
  }

  /** A market was met that is not in the list: it is loaded again soon. */
  missesMarket(): void {
    this.#marketsIncomplete = true;
  }

  async #attempt<T>(deadlineMs: number, work: (exchange: Exchange) => Promise<T>): Promise<T> {
    const { closedUntil } = this.#limit;
    if ((closedUntil?.retryAtMs ?? 0) > Date.now()) throw closedUntil;
    this.#last = undefined;
    this.#failed = undefined;
    this.#unreadable = undefined;
    try {
      return await before(deadlineMs, this.#url, work(this.exchange));
    } catch (error) {
      const failure = this.#failureOf(error);
      if (!this.#last && failure instanceof SourceUnavailableError) {
        this.#options.onTraffic?.({ url: failure.url, status: undefined, limits: {} });
      }
      if (failure instanceof RateLimitedError) this.#limit.closedUntil = failure;
      throw failure;
    }
  }

  /** ccxt hands every answer to `onRestResponse` before it looks into it. */
  #observe(): void {
    const exchange = this.exchange;
    const { onTraffic } = this.#options;
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
      onTraffic?.({ url, status, limits: limitHeaders(named) });
      return original(status, reason, url, method, headers, body, ...(request as [unknown, unknown]));
    };
  }

  #failureOf(error: unknown): SourceError {
    if (this.#unreadable && !this.#failed) {
      const { url, response } = this.#unreadable;
      return notJson(this.exchange.id, url, response.body);
    }
    if (error instanceof SourceError) return error;
    const cause = error as Error;
    const url = this.seenUrl;
    const message = `${this.exchange.id}: ${url}: ${cause.message.slice(0, 300)}`;
    if (this.#failed) {
      const { response } = this.#failed;
      const failure = httpFailure(response, { url: this.#failed.url, nowMs: Date.now() }, LIMITS);
      if (failure) return failure;
    }
    if (error instanceof ccxt.RateLimitExceeded || error instanceof ccxt.DDoSProtection) {
      return new RateLimitedError(message, { url, retryAtMs: Date.now() + LIMITS.waitMs(200) });
    }
    if (error instanceof ccxt.RestrictedLocation) return new RegionBlockedError(message, { url, cause });
    if (error instanceof ccxt.NetworkError) return new SourceUnavailableError(message, { url, cause });
    if (error instanceof ccxt.ExchangeError && !(error instanceof ccxt.BadResponse)) {
      return new SourceRefusedError(message, { url, cause });
    }
    // An answer that ccxt could not make sense of; its own code stumbles over some of them.
    const body = this.#last?.response.body ?? new Uint8Array();
    return new WrongPayloadError(`${message} (ccxt could not read the answer)`, { url, body, cause });
  }
}

/** The kind of market that ours call a category; undefined for one that we have no word for. */
export function categoryOf(market: MarketInterface): Category | undefined {
  if (market.option) return 'option';
  if (market.spot || market.type === 'margin') return 'spot';
  if (market.linear) return 'linear';
  return market.inverse ? 'inverse' : undefined;
}

/** ccxt knows no deadline: what is under way is left to its own timeout. */
async function before<T>(deadlineMs: number, url: string, work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = sleep(Math.max(0, deadlineMs - Date.now()), undefined, { signal: stop.signal }).then(() => {
    throw new SourceUnavailableError(`${url} did not answer within the time of this poll`, { url });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
    late.catch(() => {});
    work.catch(() => {});
  }
}

/** The same paths on another host. */
function redirected(urls: unknown, baseUrl: string): unknown {
  if (typeof urls === 'string') return urls.replace(/^https?:\/\/[^/]+/, baseUrl.replace(/\/+$/, ''));
  if (typeof urls !== 'object' || urls === null) return urls;
  return Object.fromEntries(
    Object.entries(urls).map(([name, inside]) => [name, redirected(inside, baseUrl)]),
  );
}

function firstUrl(urls: unknown): string | undefined {
  if (typeof urls === 'string') return urls;
  return Object.values(urls ?? {})
    .map(firstUrl)
    .find(Boolean);
}

const MARKET_TYPES: Readonly<Record<Category, readonly string[]>> = {
  spot: ['spot'],
  linear: ['linear', 'swap', 'contract'],
  inverse: ['inverse', 'swap', 'contract'],
  option: ['option'],
};

/** Where ccxt asks for each kind of market by itself only the wanted ones are asked for. */
function narrowMarketTypes(options: Exchange['options'], category: Category): void {
  const settings = options.fetchMarkets as { types?: unknown } | undefined;
  const types = settings?.types;
  if (!settings || typeof types !== 'object' || types === null) return;
  const isWanted = (type: string) => MARKET_TYPES[category].includes(type);
  if (Array.isArray(types)) {
    const narrowed = types.filter(isWanted);
    if (narrowed.length > 0) settings.types = narrowed;
  } else {
    settings.types = Object.fromEntries(
      Object.entries(types).map(([type, on]) => [type, on && isWanted(type)]),
    );
  }
}
