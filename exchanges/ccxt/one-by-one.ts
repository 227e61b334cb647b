import type { MarketInterface, Ticker as UnifiedTicker } from 'ccxt';
import { RateLimitedError, RegionBlockedError, SourceError } from '../../core/ingest/source-errors.ts';
import type { CcxtClient } from './client.ts';

/** Reserved at the end of a poll. */
const RESERVE_MS = 1_000;
/** One market, with its retries, takes at most this part of the time that is left, … */
const SHARE = 1 / 10;
/** … but may take this long. */
const LEAST_MS = 1_000;

/** The result of requesting each market by itself. */
export interface OneByOne {
  tickers: UnifiedTicker[];
  /** The markets that could not be fetched, by their id. */
  failed: { id: string; error: SourceError }[];
}

/**
 * Fetches one market a request, for exchanges that offer nothing else. A market that fails does not affect
 * the others. If time runs out, the next poll begins with the first market that was not fetched.
 * @throws SourceError if there is no ticker at all
 */
export async function oneByOne(
  client: CcxtClient,
  markets: readonly MarketInterface[],
  deadlineMs: number,
): Promise<OneByOne> {
  const endMs = deadlineMs - RESERVE_MS;
  const tickers: UnifiedTicker[] = [];
  const failed: OneByOne['failed'] = [];
  let stopped: SourceError | undefined;
  let next: string | undefined;
  for (const market of beginningWith(client.nextMarket, markets)) {
    if (stopped || (tickers.length + failed.length > 0 && Date.now() >= endMs)) {
      next = market.symbol;
      break;
    }
    try {
      tickers.push(await tickerOf(client, market, endMs));
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      // These concern the whole exchange.
      if (error instanceof RateLimitedError || error instanceof RegionBlockedError) stopped = error;
      else failed.push({ id: market.id ?? market.symbol, error });
    }
  }
  client.nextMarket = next;
  const [first] = failed;
  const why = stopped ?? first?.error;
  if (tickers.length === 0 && why) throw why;
  return { tickers, failed };
}

function beginningWith(symbol: string | undefined, markets: readonly MarketInterface[]): MarketInterface[] {
  const first = Math.max(
    0,
    markets.findIndex((market) => market.symbol === symbol),
  );
  return [...markets.slice(first), ...markets.slice(0, first)];
}

async function tickerOf(
  client: CcxtClient,
  { symbol }: MarketInterface,
  endMs: number,
): Promise<UnifiedTicker> {
  const before = (untilMs: number) => client.ask(untilMs, (exchange) => exchange.fetchTicker(symbol));
  const shareMs = Math.max(LEAST_MS, (endMs - Date.now()) * SHARE);
  try {
    return await before(Date.now() + shareMs);
  } catch (error) {
    // A rate limit may take all the time that there is.
    if (error instanceof RateLimitedError) return before(endMs);
    throw error;
  }
}
