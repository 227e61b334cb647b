import type { DocumentOutcome, IndexDocument, TickerIndex } from '../../core/index/ports.ts';
import { tickerIndexOf } from '../../core/market/index-names.ts';
import { RECORDED_AFTER_MS } from '../../core/summarise/late-ticks.ts';
import { type BulkOptions, OpenSearchBulk } from './bulk.ts';
import type { BulkClient } from './bulk-connection.ts';
import type { BulkAction } from './bulk-request.ts';
import { recordLateHour } from './late-hours.ts';

/**
 * The share of the time reserved for recording late hours: without the record, stored tickers would count as
 * failed.
 */
const RECORDING = { shareOfTime: 0.25, mostMs: 500 };

export interface TickersOptions extends BulkOptions {
  /** Epoch ms. @default Date.now */
  now?: () => number;
}

/** Writes tickers to their monthly indices, and has the hours of old ones summarised again. */
export class OpenSearchTickers implements TickerIndex {
  readonly #bulk: OpenSearchBulk;
  readonly #now: () => number;

  constructor(client: BulkClient, { now = Date.now, ...options }: TickersOptions = {}) {
    this.#bulk = new OpenSearchBulk(client, options);
    this.#now = now;
  }

  async create(documents: Iterable<IndexDocument>, deadlineMs: number): Promise<DocumentOutcome[]> {
    const oldBefore = new Date(this.#now() - RECORDED_AFTER_MS).toISOString();
    /** By hour, one of its slots. */
    const lateSlots = new Map<string, string>();
    function* creates(): Generator<BulkAction> {
      for (const { slot, id, source } of documents) {
        if (slot < oldBefore) lateSlots.set(slot.slice(0, 13), slot);
        yield { kind: 'create', index: tickerIndexOf(slot), id, source };
      }
    }
    const recordingMs = Math.min(RECORDING.mostMs, (deadlineMs - Date.now()) * RECORDING.shareOfTime);
    const outcomes = await this.#bulk.write(creates(), deadlineMs - Math.max(0, recordingMs));
    if (lateSlots.size === 0) return outcomes;
    // After the tickers, so that a reader of the record finds them. Also for tickers that already existed,
    // which an earlier attempt may have stored without a record.
    const recorded = await this.#bulk.write([...lateSlots.values()].map(recordLateHour), deadlineMs);
    const failed = recorded.find(({ kind }) => kind === 'retry' || kind === 'refused');
    if (!failed || !('reason' in failed)) return outcomes;
    const reason = `the hours of late tickers could not be recorded: ${failed.reason}`;
    const isStored = ({ kind }: DocumentOutcome) => kind === 'stored' || kind === 'alreadyThere';
    return outcomes.map((outcome) => (isStored(outcome) ? { kind: 'retry', reason } : outcome));
  }
}
