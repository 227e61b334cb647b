import type { BatchAddress } from '../lake/ticker-objects.ts';
import type { Category } from '../market/series.ts';
import type { Rejected } from '../market/ticker.ts';

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
