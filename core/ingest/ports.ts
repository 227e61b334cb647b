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
   * Asks for the categories, one outcome each, in their order; never rejects because of an exchange's failure.
   * @param poll gives up at `deadlineMs` (epoch ms)
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
   * Writes a batch (one JSON text a ticker) unless the lake already holds one at this address.
   * @returns the size of what was stored
   */
  putTickers(address: BatchAddress, lines: readonly string[]): Promise<{ bytes: number } | 'alreadyThere'>;
  /** A batch's JSON texts; undefined where there is none. */
  readTickers(address: BatchAddress): Promise<string[] | undefined>;
  /** Slots (epoch ms, ascending) later than `afterMs` that the lake holds of one category. */
  slotsAfter(exchange: string, category: Category, afterMs: number): Promise<number[]>;
  putRejected(address: BatchAddress, receivedAtMs: number, records: readonly Rejected[]): Promise<void>;
  readOutbox(source: string): Promise<OutboxMarker>;
  writeOutbox(source: string, marker: OutboxMarker): Promise<void>;
}

/** Up to which slot the stream acknowledged everything that the lake holds, by category. */
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
  /**
   * Resolves when every record is acknowledged by all in-sync replicas; rejects when that is not so by
   * `deadlineMs` (epoch ms).
   */
  produce(records: readonly StreamRecord[], deadlineMs: number): Promise<void>;
}
