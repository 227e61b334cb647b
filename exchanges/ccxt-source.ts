import type { MarketInterface, Ticker as UnifiedTicker } from 'ccxt';
import type { CategoryOutcome, TickerBatch } from '../core/ingest/ports.ts';
import type { Category } from '../core/market/series.ts';
import { CcxtClient, categoryOf, type SharedLimit } from './ccxt-client.ts';
import { type ExchangeSource, outcomes } from './http-source.ts';
import { type MarketFilter, marketFilter } from './market-filter.ts';
import {
  type Entry,
  type FieldMap,
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

/**
 * A source behind any exchange that ccxt knows: its unified tickers, as ours, paced by ccxt's own rate limiter. Dated
 * futures are not taken, as far as the exchange tells them apart from perpetual swaps.
 * @throws UnknownSourceError where ccxt has no such exchange
 */
export function createCcxtSource(config: SourceConfig, options: SourceOptions = {}): ExchangeSource {
  const limit: SharedLimit = { closedUntil: undefined };
  const id = config.api.replace(/^ccxt:/, '');
  // A native one's id may be an exchange of ccxt's, too.
  if (id === config.api) throw new UnknownSourceError(`ccxt has no exchange "${config.api}".`);
  // An instance for each: kinds of markets are often listed at addresses of their own, of which one may fail.
  const sources = new Map(
    config.categories.map((category) => {
      const client = new CcxtClient(id, category, options, limit);
      return [category, { client, tickers: categoryTickers(client, category, config) }];
    }),
  );
  const pace = sources.values().next().value?.client.pace;
  return {
    name: config.name,
    exchange: config.exchange,
    categories: config.categories,
    ...(pace ? { pace } : {}),
    async fetch(categories, poll) {
      const all: CategoryOutcome[] = [];
      // One after the other, so that the instances keep the exchange's pace together.
      for (const category of categories) {
        all.push(...(await outcomes([category], async () => tickersOf(category)(poll))));
      }
      return all;
    },
  };

  function tickersOf(category: Category) {
    const source = sources.get(category);
    if (!source) throw new UnknownSourceError(`${config.name} is not configured to have ${category}`);
    return source.tickers;
  }
}

/** @returns asks for one category's tickers. @throws SourceError */
function categoryTickers(client: CcxtClient, category: Category, config: SourceConfig) {
  const wants = marketFilter(config);
  return async (poll: { slot: string; deadlineMs: number }): Promise<TickerBatch> => {
    const { deadlineMs, slot } = poll;
    const unified = await client.ask(deadlineMs, () => unifiedTickers(client, wants, deadlineMs));
    const receipt: Receipt = {
      exchange: config.exchange,
      category,
      slot,
      url: client.seenUrl,
      receivedAt: new Date().toISOString(),
      wants,
    };
    const markets = new Map<string, MarketInterface>();
    const entries: Entry[] = [];
    const strangers: UnifiedTicker[] = [];
    for (const ticker of unified) {
      const market = ticker.symbol === undefined ? undefined : client.exchange.markets?.[ticker.symbol];
      if (!market?.id) strangers.push(ticker);
      else if (categoryOf(market) === category) {
        markets.set(market.id, market);
        entries.push({ symbol: market.id, values: ticker, raw: ticker.info ?? ticker });
      }
    }
    const batch = normaliseList(entries, FIELDS, (symbol) => pairOfMarket(markets.get(symbol)), receipt);
    for (const { symbol, info } of strangers) {
      // ccxt made the symbol up: under the exchange's own the market would be another series.
      client.missesMarket();
      const reason = `symbol: ${symbol} is not in the exchange's list of markets, which is loaded again soon`;
      batch.rejected.push(reject(info, reason, receipt));
    }
    return batch;
  };
}

/** Base and quote, as ccxt's list of markets has them. */
export function pairOfMarket(market: MarketInterface | undefined): Pair {
  return { base: market?.base || undefined, quote: market?.quote || undefined };
}

/** Kept at the end of a poll that asks market by market. */
const ONE_BY_ONE_RESERVE_MS = 1_000;

/** What ccxt makes of the exchange's tickers; of every kind of market, where the exchange tells them together. */
async function unifiedTickers(
  client: CcxtClient,
  wants: MarketFilter,
  deadlineMs: number,
): Promise<UnifiedTicker[]> {
  const { exchange } = client;
  const markets = await client.markets();
  if (exchange.has.fetchTickers) return Object.values(await exchange.fetchTickers());

  const wanted = markets.filter(
    ({ id, symbol, quote, active }) => active !== false && wants({ symbol: id ?? symbol, quote }),
  );
  const tickers: UnifiedTicker[] = [];
  for (const { symbol } of wanted) {
    // What came in time is kept; the poll tells that there were fewer.
    if (tickers.length > 0 && Date.now() >= deadlineMs - ONE_BY_ONE_RESERVE_MS) break;
    tickers.push(await exchange.fetchTicker(symbol));
  }
  return tickers;
}
