import type { Exchange, MarketInterface, Ticker as UnifiedTicker } from 'ccxt';
import type { CategoryOutcome, TickerBatch } from '../../core/ingest/ports.ts';
import type { Category } from '../../core/market/series.ts';
import type { ClientOptions } from '../http/client.ts';
import { type ExchangeSource, outcomes } from '../http/ticker-source.ts';
import { fieldReaders, percent } from '../payload/fields.ts';
import type { Markets } from '../payload/instruments.ts';
import { type MarketFilter, marketFilter } from '../payload/market-filter.ts';
import { type Entry, normaliseList, type Receipt, reject } from '../payload/tickers.ts';
import { type SourceConfig, UnknownSourceError } from '../source-config.ts';
import { CcxtClient, type SharedLimit } from './client.ts';
import { categoryOf, pairOfMarket } from './markets.ts';
import { type OneByOne, oneByOne } from './one-by-one.ts';
import { contractVolumes } from './volumes.ts';

/** https://docs.ccxt.com/#/?id=ticker-structure: the last 24 hours; the change is a percentage. */
const FIELDS = fieldReaders({
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
});

const UNKNOWN_CHANGE = { open: undefined, percentage: undefined };
/**
 * Exchanges whose day begins at midnight UTC in these fields, so that they do not cover the last 24 hours.
 */
const SINCE_MIDNIGHT: Readonly<Record<string, object>> = {
  kraken: UNKNOWN_CHANGE,
  upbit: { ...UNKNOWN_CHANGE, high: undefined, low: undefined },
};

const NOT_ACTIVE = { kind: 'ended', reason: 'the exchange lists it as not active' } as const;

interface Fetched extends OneByOne {
  /** How many markets were asked for by name, … */
  expected?: number;
  /** … and the ids of those that were not, because they are not active. */
  notAsked?: string[];
}

/**
 * Opens a source behind any exchange that ccxt knows, at the pace of ccxt's rate limiter. Dated futures are left out if
 * the exchange distinguishes them from perpetual swaps.
 * @throws UnknownSourceError if ccxt has no such exchange
 */
export function createCcxtSource(config: SourceConfig, options: ClientOptions = {}): ExchangeSource {
  const { name, exchange, categories, api } = config;
  const id = api.replace(/^ccxt:/, '');
  // ccxt also has exchanges named like our own APIs.
  if (id === api) throw new UnknownSourceError(`ccxt has no exchange "${api}".`);
  const limit: SharedLimit = { current: undefined };
  // One client each, because categories often have different endpoints, of which one may fail.
  const clients = new Map(
    categories.map((category) => [category, new CcxtClient(id, category, options, limit)]),
  );
  const clientOf = (category: Category) => {
    const client = clients.get(category);
    if (!client) throw new UnknownSourceError(`${name} is not configured to poll ${category}`);
    return client;
  };
  return {
    name,
    exchange,
    categories,
    pace: clientOf(categories[0] as Category).pace,
    async fetch(requested, poll) {
      const all: CategoryOutcome[] = [];
      // One after the other, so that together the clients keep the exchange's pace. Each leaves the others
      // their share of the time.
      for (const [position, category] of requested.entries()) {
        const client = clientOf(category);
        const nowMs = Date.now();
        const deadlineMs = nowMs + (poll.deadlineMs - nowMs) / (requested.length - position);
        const ofCategory = { ...poll, deadlineMs };
        all.push(...(await outcomes([category], () => tickersOf(client, category, config, ofCategory))));
      }
      return all;
    },
  };
}

/** @throws SourceError */
async function tickersOf(
  client: CcxtClient,
  category: Category,
  config: SourceConfig,
  { slot, deadlineMs }: { slot: string; deadlineMs: number },
): Promise<TickerBatch> {
  const wants = marketFilter(config);
  const {
    tickers: unified,
    failed,
    expected,
    notAsked = [],
  } = await unifiedTickers(client, wants, deadlineMs);
  const receipt: Receipt = {
    exchange: config.exchange,
    category,
    slot,
    url: client.lastUrl,
    receivedAt: new Date().toISOString(),
    wants,
    maxTickers: config.maxTickers,
  };
  const markets = new Map<string, MarketInterface>();
  const entries: Entry[] = [];
  const unlisted: UnifiedTicker[] = [];
  for (const ticker of unified) {
    const market = ticker.symbol === undefined ? undefined : client.exchange.markets?.[ticker.symbol];
    if (!market?.id) unlisted.push(ticker);
    else if (categoryOf(market) === category) {
      markets.set(market.id, market);
      // ccxt leaves out what the exchange sends as "" or 0, which is how it says that there is no price.
      const noPrice = typeof ticker.info === 'object' ? null : undefined;
      entries.push({
        symbol: market.id,
        values: {
          ...ticker,
          ...SINCE_MIDNIGHT[client.exchange.id],
          last: ticker.last ?? noPrice,
          ...(market.contract && !market.option ? contractVolumes(market, ticker) : {}),
        },
        raw: ticker.info ?? ticker,
      });
    }
  }
  const facts: Markets = {
    pairOf: (symbol) => pairOfMarket(markets.get(symbol)),
    absence: (symbol) => (markets.get(symbol)?.active === false ? NOT_ACTIVE : undefined),
  };
  const batch = normaliseList(entries, FIELDS, facts, receipt);
  for (const { symbol, info } of unlisted) {
    // ccxt guessed the symbol. Under the exchange's own spelling it would be another series.
    client.reportMissingMarket();
    const reason = `symbol: ${symbol} is not in the exchange's list of markets, which will be reloaded soon`;
    batch.rejected.push(reject(info, reason, receipt));
  }
  for (const { id, error } of failed) {
    batch.rejected.push(reject({ id }, error.message, { ...receipt, url: error.url }));
  }
  const inactive = notAsked.map((symbol) => ({ symbol, ...NOT_ACTIVE }));
  return {
    ...batch,
    ...(inactive.length > 0 ? { absent: [...(batch.absent ?? []), ...inactive] } : {}),
    ...(expected === undefined ? {} : { expected }),
  };
}

/**
 * Some exchanges serve the swaps of each settlement currency at a separate address, and ccxt requests one of
 * them by default. If no swap of a currency arrived, it is requested by its symbols, from which ccxt derives
 * the address.
 */
async function otherSettlements(
  exchange: Exchange,
  markets: readonly MarketInterface[],
  came: readonly UnifiedTicker[],
): Promise<UnifiedTicker[]> {
  const symbols = new Set(came.map(({ symbol }) => symbol));
  const swaps = markets.filter(({ swap, active }) => swap && active !== false);
  const bySettlement = Map.groupBy(swaps, ({ settle }) => settle);
  const others: UnifiedTicker[] = [];
  for (const [settle, ofCurrency] of bySettlement) {
    if (ofCurrency.some(({ symbol }) => symbols.has(symbol))) continue;
    // ccxt ignores the symbols for Gate.
    const params = exchange.id.startsWith('gate') ? { settle } : {};
    const found = await exchange.fetchTickers(
      ofCurrency.map(({ symbol }) => symbol),
      params,
    );
    others.push(...Object.values(found));
  }
  return others;
}

/** May include other categories, if the exchange answers them together. */
async function unifiedTickers(client: CcxtClient, wants: MarketFilter, deadlineMs: number): Promise<Fetched> {
  const { fetchTickers } = client.exchange.has;
  if (fetchTickers) {
    const tickers = await client.ask(deadlineMs, async (exchange) => {
      const markets = await client.markets();
      const first = Object.values(await exchange.fetchTickers());
      return [...first, ...(await otherSettlements(exchange, markets, first))];
    });
    return { tickers, failed: [] };
  }
  const markets = await client.ask(deadlineMs, () => client.markets());
  const wanted = markets.filter(({ id, symbol, quote }) => wants({ symbol: id ?? symbol, quote }));
  const active = wanted.filter((market) => market.active !== false);
  const notAsked = wanted.filter((market) => market.active === false).map(({ id, symbol }) => id ?? symbol);
  return { ...(await oneByOne(client, active, deadlineMs)), expected: active.length, notAsked };
}
