import type { BatchAddress } from '../lake/ticker-objects.ts';
import type { Category } from '../market/series.ts';
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

/** One category of one payload, sorted into valid and invalid tickers. */
export interface TickerBatch {
  tickers: Ticker[];
  rejected: RejectedTicker[];
}

/** The lake: source of truth and outbox. Every method throws when the store cannot be reached. */
export interface TickerLake {
  /**
   * Writes a batch, one line of JSON per ticker, unless the lake already has one at this address.
   * @returns the stored size
   */
  putTickers(address: BatchAddress, lines: readonly string[]): Promise<{ bytes: number } | 'alreadyThere'>;
  /** The lines of a batch; undefined if there is none. */
  readTickers(address: BatchAddress): Promise<string[] | undefined>;
  /** The slots (epoch ms, ascending) after `afterMs` that the lake has for one category. */
  slotsAfter(exchange: string, category: Category, afterMs: number): Promise<number[]>;
  putRejected(address: BatchAddress, receivedAtMs: number, records: readonly Rejected[]): Promise<void>;
  readOutbox(source: string): Promise<OutboxMarker>;
  writeOutbox(source: string, marker: OutboxMarker): Promise<void>;
}

/** For each category, the slot up to which the stream has acknowledged everything in the lake. */
export interface OutboxMarker {
  v: 1;
  acknowledged: Partial<Record<Category, { slot: string; tickers: number }>>;
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
