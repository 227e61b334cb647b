/** The place of a record in the stream. */
export interface StreamPosition {
  topic: string;
  partition: number;
  offset: number;
}

/** A record as the event source delivers it. */
export interface DeliveredRecord extends StreamPosition {
  /** Epoch ms, set by the producer; -1 if the record has none. */
  timestamp: number;
  /** Base64; null or undefined if the record has no value. */
  value?: string | null | undefined;
}

/** A valid ticker, ready to be indexed. */
export interface IndexDocument {
  id: string;
  /** ISO 8601 UTC. */
  slot: string;
  /** The ticker's JSON, on one line. */
  source: string;
}

/** What OpenSearch did with one document. */
export type DocumentOutcome =
  | { kind: 'stored' }
  | { kind: 'alreadyThere' }
  | { kind: 'retry'; reason: string }
  | { kind: 'refused'; errorType: string; reason: string };

/** The index of tickers. */
export interface TickerIndex {
  /**
   * Creates the documents; one outcome each, in their order. `retry` means that the document could not be stored by
   * `deadlineMs` (epoch ms) but may be later. Documents are pulled one by one as requests have room for them.
   */
  create(documents: Iterable<IndexDocument>, deadlineMs: number): Promise<DocumentOutcome[]>;
}

/** A record that cannot be indexed, with everything needed to try again. Times are ISO 8601 UTC. */
export interface DeadLetter extends StreamPosition {
  v: 1;
  /** The record's value, unchanged; null if it had none. */
  value_base64: string | null;
  /** `poison` if it is not a ticker, else OpenSearch's error type. */
  error_type: string;
  reason: string;
  /** The record's own timestamp. */
  produced_at: string;
  /** When indexing it first failed for good. */
  first_seen: string;
}

export interface DeadLetters {
  put(letters: readonly DeadLetter[]): Promise<void>;
}
