/** Where a record is in the stream. */
export interface StreamPosition {
  topic: string;
  partition: number;
  offset: number;
}

/** A record as the event source delivers it. */
export interface DeliveredRecord extends StreamPosition {
  /** Epoch ms, as its producer wrote it; Kafka writes -1 if the record has none. */
  timestamp: number;
  /** Base64; null or undefined if the record has no value. */
  value?: string | null | undefined;
}

/** A checked ticker as the index takes it. */
export interface IndexDocument {
  id: string;
  index: string;
  /** The ticker's JSON, on one line. */
  source: string;
}

/** What OpenSearch said about one document. */
export type DocumentOutcome =
  | { kind: 'stored' }
  | { kind: 'alreadyThere' }
  | { kind: 'retry'; reason: string }
  | { kind: 'refused'; errorType: string; reason: string };

/** The index of tickers. */
export interface TickerIndex {
  /**
   * Creates the documents; one outcome each, in their order. `retry` are those that could not be stored by
   * `deadlineMs` (epoch ms) and may be later. A document is taken when there is room for it in a request, so they
   * may be made one by one.
   */
  create(documents: Iterable<IndexDocument>, deadlineMs: number): Promise<DocumentOutcome[]>;
}

/** A record that cannot be indexed as it is, kept with everything needed to try it again. */
export interface DeadLetter extends StreamPosition {
  v: 1;
  /** The record's value as it came; null where it had none. */
  value_base64: string | null;
  /** `poison` (no ticker), or OpenSearch's own type. */
  error_type: string;
  reason: string;
  /** When the record was produced, by its own timestamp; ISO 8601 UTC, like every time here. */
  produced_at: string;
  /** When it was first found to be impossible to index. */
  first_seen: string;
}

/** Where dead letters are kept. */
export interface DeadLetters {
  put(letters: readonly DeadLetter[]): Promise<void>;
}
