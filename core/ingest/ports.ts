import type { BatchAddress } from '../lake/ticker-objects.ts';
import type { Category, Market } from '../market/series.ts';
import type { Rejected, RejectedTicker, Ticker } from '../market/ticker.ts';
import type { SourceError } from './source-errors.ts';

/** Where tickers come from. */
export interface TickerSource {
  readonly name: string;
  readonly exchange: string;
  readonly categories: readonly Category[];
  /**
   * Fetches the categories: one outcome each, in their order. Never rejects because the exchange failed.
   * @param poll stops at `deadlineMs` (epoch ms)
   */
  fetch(
    categories: readonly Category[],
    poll: { slot: string; deadlineMs: number },
  ): Promise<CategoryOutcome[]>;
}

/** One category of one poll: its tickers, or why there are none. */
export type CategoryOutcome =
  | { category: Category; receivedAt: string; batch: TickerBatch }
  | { category: Category; receivedAt: string; error: SourceError };

/** A market that an exchange names but that is not live. It is not a ticker, and nothing is wrong with it. */
export interface AbsentMarket {
  symbol: string;
  /**
   * `ended`: suspended, settled or delisted; `stale`: its price is more than a day old, for whatever reason;
   * `untraded`: not open yet, or without a single trade so far.
   */
  kind: 'ended' | 'stale' | 'untraded';
  /** `its state is SETTLING` */
  reason: string;
}

/** One category of one payload, sorted into valid and invalid tickers. */
export interface TickerBatch {
  tickers: Ticker[];
  rejected: RejectedTicker[];
  /** @default none */
  absent?: AbsentMarket[];
  /** What makes the whole answer doubtful, if anything. */
  warning?: string;
  /** How many tickers there should be. @default unknown: the exchange answers with as many as it has */
  expected?: number;
}

/**
 * The lake: source of truth and outbox. Every method throws when the store cannot be reached, or has not answered by
 * `deadlineMs` (epoch ms).
 */
export interface TickerLake {
  /**
   * Writes a batch, one line of JSON per ticker, unless the lake already has one at this address.
   * @returns the stored size
   */
  putTickers(
    address: BatchAddress,
    lines: readonly string[],
    deadlineMs: number,
  ): Promise<{ bytes: number } | 'alreadyThere'>;
  /** The lines of a batch; undefined if there is none. @throws UnreadableObjectError */
  readTickers(address: BatchAddress, deadlineMs: number): Promise<string[] | undefined>;
  /** The slots (epoch ms, ascending) after `afterMs` that the lake has for a market. */
  slotsAfter(market: Market, afterMs: number, deadlineMs: number): Promise<number[]>;
  /** The first slot (epoch ms) that the lake has for a market. */
  firstSlot(market: Market, deadlineMs: number): Promise<number | undefined>;
  putRejected(
    address: BatchAddress,
    receivedAtMs: number,
    records: readonly Rejected[],
    deadlineMs: number,
  ): Promise<void>;
  /**
   * A market's marker; undefined if it has none.
   * @param source the name under which an earlier version kept the marker, read if the market has none of its own
   * @throws UnreadableObjectError
   */
  readMarker(market: Market, deadlineMs: number, source: string): Promise<OutboxMarker | undefined>;
  writeMarker(market: Market, marker: OutboxMarker, deadlineMs: number): Promise<void>;
  /** Copies an unreadable marker to a key of its own, named by the slot that found it. @returns that key */
  setMarkerAside(key: string, market: Market, slotMs: number, deadlineMs: number): Promise<string>;
}

/** What the stream has acknowledged of a market. Slots are epoch ms. */
export interface OutboxMarker {
  /** Every batch in the lake up to this slot is on the stream, or was left to `replay`. */
  throughMs: number;
  /** Later slots that are on the stream too, ascending; whatever else the lake has after `throughMs` is not. */
  beyondMs: readonly number[];
  /** How many tickers the latest slot had. */
  tickers?: number;
}

export interface StreamRecord {
  /** The series. */
  key: string;
  /** The ticker's JSON. */
  value: string;
}

/** The stream of tickers. */
export interface TickerStream {
  /** Resolves when all in-sync replicas have acknowledged every record; rejects at `deadlineMs` (epoch ms). */
  produce(records: readonly StreamRecord[], deadlineMs: number): Promise<void>;
}
