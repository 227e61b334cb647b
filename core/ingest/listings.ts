import * as z from 'zod';
import type { BatchAddress } from '../lake/ticker-objects.ts';
import { CATEGORIES, type Category, formatSeries, type Market } from '../market/series.ts';
import { EXCHANGE_PATTERN, parseTicker } from '../market/ticker.ts';
import type { TickerBatch, TickerLake } from './ports.ts';

/** A market appeared or ended, as the polls noticed it. */
const listingSchema = z.object({
  v: z.literal(1),
  exchange: z.string().regex(EXCHANGE_PATTERN),
  category: z.enum(CATEGORIES),
  symbol: z.string().min(1),
  event: z.enum(['listed', 'ended']),
  /** The slot of the first poll that noticed it, ISO 8601 UTC. */
  at: z.iso.datetime(),
  /** Why it counts as ended. */
  reason: z.string().optional(),
});

export type Listing = z.infer<typeof listingSchema>;

/** Parses a line of the lake; undefined if it is not a listing. */
export function parseListing(line: string): Listing | undefined {
  try {
    return listingSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Names a listing: the same poll always gives the same one. */
export const listingId = (listing: Listing) =>
  `${formatSeries(listing)}:${Date.parse(listing.at)}:${listing.event}`;

/** Where listings are kept. */
export interface ListingLake {
  /** Replaces what an earlier attempt at the same poll noticed. */
  putListings(address: BatchAddress, listings: readonly Listing[], deadlineMs: number): Promise<void>;
}

/**
 * A single market may disappear from an answer; if more than this share do at once, the answer is incomplete.
 */
const MOST_GONE_SHARE = 0.05;

/**
 * Which markets came and went since the previous poll.
 * @param before the symbols that were live then
 */
export function listingsBetween(
  before: ReadonlySet<string>,
  { tickers, absent = [], rejected, expected }: TickerBatch,
  { exchange, category, slotMs }: BatchAddress,
): Listing[] {
  const listing = (event: Listing['event'], symbol: string, reason?: string): Listing => ({
    ...{ v: 1, exchange, category, symbol, event },
    at: new Date(slotMs).toISOString(),
    ...(reason === undefined ? {} : { reason }),
  });
  const live = new Set(tickers.map(({ symbol }) => symbol));
  const named = new Set(absent.map(({ symbol }) => symbol));
  // An untraded or stale market may be traded again tomorrow, so only `ended` counts.
  const ended = absent.filter(({ kind }) => kind === 'ended');
  const whyEnded = new Map(ended.map(({ symbol, reason }) => [symbol, reason]));
  const gone = [...before].filter((symbol) => !live.has(symbol) && !named.has(symbol));
  // A missing market may be among the rejected tickers, or, if markets are requested one by one, not fetched
  // yet.
  const isCertain = rejected.length === 0 && expected === undefined;
  const areFew = gone.length <= Math.max(1, before.size * MOST_GONE_SHARE);
  return [
    ...[...live].filter((symbol) => !before.has(symbol)).map((symbol) => listing('listed', symbol)),
    ...[...before].flatMap((symbol) => {
      const reason = live.has(symbol) ? undefined : whyEnded.get(symbol);
      return reason === undefined ? [] : [listing('ended', symbol, reason)];
    }),
    ...(isCertain && areFew
      ? gone.map((symbol) => listing('ended', symbol, 'the exchange no longer names it'))
      : []),
  ];
}

interface Live {
  slotMs: number;
  symbols: ReadonlySet<string>;
}

/** Notices and keeps listings, for the polls of one source. Remembers the markets of the latest poll. */
export class ListingWatch {
  readonly #lake: Pick<TickerLake, 'readTickers'> & ListingLake;
  readonly #latest = new Map<Category, Live>();

  constructor(lake: Pick<TickerLake, 'readTickers'> & ListingLake) {
    this.#lake = lake;
  }

  /**
   * Compares an answer with the poll before it.
   * @param previousSlotMs where to find that poll in the lake, if this instance has not seen one yet
   * @throws the lake's errors
   */
  async notice(
    address: BatchAddress,
    batch: TickerBatch,
    previousSlotMs: number,
    deadlineMs: number,
  ): Promise<Listing[]> {
    const { category, slotMs } = address;
    const before = this.#latest.get(category) ?? (await this.#read(address, previousSlotMs, deadlineMs));
    if (before && before.slotMs >= slotMs) return [];
    const symbols = new Set(batch.tickers.map(({ symbol }) => symbol));
    const listings = before ? listingsBetween(before.symbols, batch, address) : [];
    const still = [...(before?.symbols ?? [])].filter(
      (symbol) => !listings.some((each) => each.event === 'ended' && each.symbol === symbol),
    );
    if (listings.length > 0) await this.#lake.putListings(address, listings, deadlineMs);
    // A market that is only missing from this answer has not ended.
    this.#latest.set(category, { slotMs, symbols: new Set([...still, ...symbols]) });
    return listings;
  }

  async #read(market: Market, slotMs: number, deadlineMs: number): Promise<Live | undefined> {
    const lines = await this.#lake.readTickers({ ...market, slotMs }, deadlineMs);
    const symbols = lines?.flatMap((line) => {
      const parsed = parseTicker(line);
      return 'ticker' in parsed ? [parsed.ticker.symbol] : [];
    });
    return symbols && { slotMs, symbols: new Set(symbols) };
  }
}
