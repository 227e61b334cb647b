import { setTimeout as sleep } from 'node:timers/promises';
import ccxt, { type Exchange, type MarketInterface, type Ticker as UnifiedTicker } from 'ccxt';
import { BACKOFFS, CALL_TIMEOUTS_MS } from '../../domain/budgets.ts';
import { retryUntilDeadline } from '../../domain/retry.ts';
import type { Category } from '../../domain/ticker.ts';
import {
  RateLimitedError,
  RegionBlockedError,
  SourceError,
  SourceRefusedError,
  SourceUnavailableError,
  WrongPayloadError,
} from './errors.ts';
import type { ExchangeResponse } from './exchange-adapter.ts';
import { limitHeaders } from './exchange-client.ts';
import { httpFailure, type RateLimitRules } from './http-failures.ts';
import { type CategoryOutcome, outcomes, type TickerSource } from './http-source.ts';
import { type MarketFilter, marketFilter } from './market-filter.ts';
import {
  type Entry,
  type FieldMap,
  type NormalisedBatch,
  normaliseList,
  type Pair,
  percent,
  type Receipt,
  reject,
} from './normalise.ts';
import { type SourceConfig, type SourceOptions, UnknownSourceError } from './source-config.ts';

/** https://docs.ccxt.com/#/?id=ticker-structure: the last 24 hours, the change as a percentage. */
const FIELDS: FieldMap = {
  last: 'last_price',
  bid: 'bid_price',
  bidVolume: 'bid_size',
  ask: 'ask_price',
  askVolume: 'ask_size',
  open: 'prev_price_24h',
  high: 'high_price_24h',
  low: 'low_price_24h',
  percentage: percent('price_24h_pcnt'),
  baseVolume: 'volume_24h',
  quoteVolume: 'turnover_24h',
  markPrice: 'mark_price',
  indexPrice: 'index_price',
  timestamp: 'timestamp',
};

const MARKETS_KEPT_MS = 6 * 60 * 60_000;
/** Where a ticker's market is not in the list, as after a new listing. */
const INCOMPLETE_MARKETS_KEPT_MS = 10 * 60_000;

/** Where an exchange names no time; ccxt does not know how each of them counts. */
const LIMITS: RateLimitRules = {
  isLimit: (status, text) =>
    status === 418 || (status === 403 && /too (frequent|many)|rate limit/i.test(text)),
  waitMs: () => 60_000,
};

/**
 * A source behind any exchange that ccxt knows: its unified tickers, as ours, paced by ccxt's own rate limiter. Dated
 * futures are not taken, as far as the exchange tells them apart from perpetual swaps.
 * @throws UnknownSourceError where ccxt has no such exchange
 */
export function createCcxtSource(config: SourceConfig, options: SourceOptions = {}): TickerSource {
  const id = config.api.replace(/^ccxt:/, '');
  const Client = (ccxt.exchanges as readonly string[]).includes(id)
    ? (ccxt as unknown as Record<string, new (settings: object) => Exchange>)[id]
    : undefined;
  if (!config.api.startsWith('ccxt:') || !Client) {
    throw new UnknownSourceError(
      `ccxt has no exchange "${id}". Its list: https://docs.ccxt.com/#/?id=exchanges`,
    );
  }
  const timeout = options.requestTimeoutMs ?? CALL_TIMEOUTS_MS.exchange;
  const limit: SharedLimit = { closedUntil: undefined };
  // An instance for each: kinds of markets are often listed at addresses of their own, of which one may fail.
  const clients = new Map(
    config.categories.map((category) => {
      const exchange = new Client({ enableRateLimit: true, timeout });
      return [category, new CategoryClient(exchange, category, config, options, limit)];
    }),
  );
  return {
    name: config.name,
    exchange: config.exchange,
    categories: config.categories,
    async fetch(categories, poll) {
      const all: CategoryOutcome[] = [];
      // One after the other, so that the instances keep the exchange's pace together.
      for (const category of categories) {
        all.push(...(await outcomes([category], async () => clientOf(category).tickers(poll))));
      }
      return all;
    },
  };

  function clientOf(category: Category): CategoryClient {
    const client = clients.get(category);
    if (!client) throw new UnknownSourceError(`${config.name} is not configured to have ${category}`);
    return client;
  }
}

/** A rate limit that one category is told counts for all. */
interface SharedLimit {
  closedUntil: RateLimitedError | undefined;
}

interface Observed {
  url: string;
  response: ExchangeResponse;
}

class CategoryClient {
  readonly #exchange: Exchange;
  readonly #category: Category;
  readonly #name: string;
  readonly #options: SourceOptions;
  readonly #limit: SharedLimit;
  readonly #wants: MarketFilter;
  readonly #url: string;
  #marketsLoadedMs = 0;
  #marketsIncomplete = false;
  /** The answer that the running attempt got last, and the last that was no success. */
  #last: Observed | undefined;
  #failed: Observed | undefined;

  constructor(
    exchange: Exchange,
    category: Category,
    config: SourceConfig,
    options: SourceOptions,
    limit: SharedLimit,
  ) {
    this.#exchange = exchange;
    this.#category = category;
    this.#name = config.exchange;
    this.#options = options;
    this.#limit = limit;
    this.#wants = marketFilter(config);
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

  /** @throws SourceError */
  tickers(poll: { slot: string; deadlineMs: number }): Promise<NormalisedBatch> {
    const { deadlineMs } = poll;
    const { onRetry } = this.#options;
    return retryUntilDeadline(() => this.#attempt(poll), {
      deadlineMs,
      ...BACKOFFS.exchange,
      isRetryable: (error) => error instanceof SourceError && error.retryable,
      retryAtMs: (error) => (error instanceof SourceError ? error.retryAtMs : undefined),
      ...(onRetry ? { onRetry } : {}),
    });
  }

  async #attempt({ slot, deadlineMs }: { slot: string; deadlineMs: number }): Promise<NormalisedBatch> {
    const { closedUntil } = this.#limit;
    if ((closedUntil?.retryAtMs ?? 0) > Date.now()) throw closedUntil;
    this.#last = undefined;
    this.#failed = undefined;
    let unified: UnifiedTicker[];
    try {
      unified = await before(deadlineMs, this.#url, this.#unified(deadlineMs));
    } catch (error) {
      const failure = this.#failureOf(error);
      if (failure instanceof RateLimitedError) this.#limit.closedUntil = failure;
      throw failure;
    }
    const receipt: Receipt = {
      exchange: this.#name,
      category: this.#category,
      slot,
      url: this.#seenUrl(),
      receivedAt: new Date().toISOString(),
      wants: this.#wants,
    };
    const markets = new Map<string, MarketInterface>();
    const entries: Entry[] = [];
    const strangers: UnifiedTicker[] = [];
    for (const ticker of unified) {
      const market = this.#market(ticker.symbol);
      if (!market?.id) strangers.push(ticker);
      else if (categoryOf(market) === this.#category) {
        markets.set(market.id, market);
        entries.push({ symbol: market.id, values: ticker, raw: ticker.info ?? ticker });
      }
    }
    const batch = normaliseList(entries, FIELDS, pairOf, receipt);
    for (const { symbol, info } of strangers) {
      // ccxt made the symbol up: under the exchange's own the market would be another series.
      this.#marketsIncomplete = true;
      const reason = `symbol: ${symbol} is not in the exchange's list of markets, which is loaded again soon`;
      batch.rejected.push(reject(info, reason, receipt));
    }
    return batch;

    function pairOf(symbol: string): Pair {
      const { base, quote } = markets.get(symbol) ?? {};
      return { base: base || undefined, quote: quote || undefined };
    }
  }

  /** What ccxt makes of the exchange's tickers; of every kind of market, where the exchange tells them together. */
  async #unified(deadlineMs: number): Promise<UnifiedTicker[]> {
    const exchange = this.#exchange;
    const category = this.#category;
    const keptMs = this.#marketsIncomplete ? INCOMPLETE_MARKETS_KEPT_MS : MARKETS_KEPT_MS;
    if (exchange.markets === undefined || this.#marketsLoadedMs + keptMs < Date.now()) {
      // ccxt remembers a failure, too, unless told to load again.
      await exchange.loadMarkets(true);
      this.#marketsLoadedMs = Date.now();
      this.#marketsIncomplete = false;
    }
    const all = Object.values<MarketInterface>(exchange.markets ?? {});
    const markets = all.filter((market) => categoryOf(market) === category);
    if (markets.length === 0) {
      const others = [...new Set(all.map((market) => categoryOf(market)))].filter(Boolean);
      throw new SourceRefusedError(
        `${exchange.id} has no ${category} markets; it has ${others.join(', ') || 'none'}. Set the source's categories`,
        { url: this.#url },
      );
    }
    if (exchange.has.fetchTickers) return Object.values(await exchange.fetchTickers());

    const wanted = markets.filter(
      ({ id, symbol, quote, active }) => active !== false && this.#wants({ symbol: id ?? symbol, quote }),
    );
    const tickers: UnifiedTicker[] = [];
    for (const { symbol } of wanted) {
      // What came in time is kept; the poll tells that there were fewer.
      if (tickers.length > 0 && Date.now() >= deadlineMs - ONE_BY_ONE_RESERVE_MS) break;
      tickers.push(await exchange.fetchTicker(symbol));
    }
    return tickers;
  }

  #market(symbol: string | undefined): MarketInterface | undefined {
    return symbol === undefined ? undefined : this.#exchange.markets?.[symbol];
  }

  /** ccxt hands every answer to `onRestResponse` before it looks into it. */
  #observe(): void {
    const exchange = this.#exchange;
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
      onTraffic?.({ url, status, tookMs: 0, limits: limitHeaders(named) });
      return original(status, reason, url, method, headers, body, ...(request as [unknown, unknown]));
    };
  }

  #seenUrl(): string {
    return this.#last?.url ?? this.#url;
  }

  #failureOf(error: unknown): SourceError {
    if (error instanceof SourceError) return error;
    const cause = error as Error;
    const url = this.#seenUrl();
    const message = `${this.#exchange.id}: ${url}: ${cause.message.slice(0, 300)}`;
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

/** Kept at the end of a poll that asks market by market. */
const ONE_BY_ONE_RESERVE_MS = 1_000;

function categoryOf(market: MarketInterface): Category | undefined {
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
