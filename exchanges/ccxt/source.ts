import type { MarketInterface, Ticker as UnifiedTicker } from 'ccxt';
import type { CategoryOutcome, TickerBatch } from '../../core/ingest/ports.ts';
import type { Category } from '../../core/market/series.ts';
import type { ClientOptions } from '../http/client.ts';
import { type ExchangeSource, outcomes } from '../http/ticker-source.ts';
import { fieldReaders, percent } from '../payload/fields.ts';
import { type MarketFilter, marketFilter } from '../payload/market-filter.ts';
import { type Entry, normaliseList, type Receipt, reject } from '../payload/tickers.ts';
import { type SourceConfig, UnknownSourceError } from '../source-config.ts';
import { CcxtClient, type SharedLimit } from './client.ts';
import { categoryOf, pairOfMarket } from './markets.ts';

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

/** Reserved at the end of a poll that fetches market by market. */
const ONE_BY_ONE_RESERVE_MS = 1_000;

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
      // One after the other, so that the clients together keep the exchange's pace.
      for (const category of requested) {
        const client = clientOf(category);
        all.push(...(await outcomes([category], () => tickersOf(client, category, config, poll))));
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
  const unified = await client.ask(deadlineMs, () => unifiedTickers(client, wants, deadlineMs));
  const receipt: Receipt = {
    exchange: config.exchange,
    category,
    slot,
    url: client.lastUrl,
    receivedAt: new Date().toISOString(),
    wants,
  };
  const markets = new Map<string, MarketInterface>();
  const entries: Entry[] = [];
  const unlisted: UnifiedTicker[] = [];
  for (const ticker of unified) {
    const market = ticker.symbol === undefined ? undefined : client.exchange.markets?.[ticker.symbol];
    if (!market?.id) unlisted.push(ticker);
    else if (categoryOf(market) === category) {
      markets.set(market.id, market);
      entries.push({ symbol: market.id, values: ticker, raw: ticker.info ?? ticker });
    }
  }
  const batch = normaliseList(entries, FIELDS, (symbol) => pairOfMarket(markets.get(symbol)), receipt);
  for (const { symbol, info } of unlisted) {
    // ccxt guessed the symbol. Under the exchange's own spelling it would be another series.
    client.reportMissingMarket();
    const reason = `symbol: ${symbol} is not in the exchange's list of markets, which will be reloaded soon`;
    batch.rejected.push(reject(info, reason, receipt));
  }
  return batch;
}

/** May include other categories, if the exchange answers them together. */
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
    // Keep what came in time; the poll reports that there are fewer tickers.
    if (tickers.length > 0 && Date.now() >= deadlineMs - ONE_BY_ONE_RESERVE_MS) break;
    tickers.push(await exchange.fetchTicker(symbol));
  }
  return tickers;
}
