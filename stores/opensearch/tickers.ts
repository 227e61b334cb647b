import type { DocumentOutcome, IndexDocument, TickerIndex } from '../../core/index/ports.ts';
import { tickerIndexOf } from '../../core/market/index-names.ts';
import { type BulkOptions, OpenSearchBulk } from './bulk.ts';
import type { BulkClient } from './bulk-connection.ts';
import type { BulkAction } from './bulk-request.ts';

/** Writes tickers to their monthly indices. */
export class OpenSearchTickers implements TickerIndex {
  readonly #bulk: OpenSearchBulk;

  constructor(client: BulkClient, options: BulkOptions = {}) {
    this.#bulk = new OpenSearchBulk(client, options);
  }

  create(documents: Iterable<IndexDocument>, deadlineMs: number): Promise<DocumentOutcome[]> {
    return this.#bulk.write(creates(documents), deadlineMs);
  }
}

function* creates(documents: Iterable<IndexDocument>): Generator<BulkAction> {
  for (const { slot, id, source } of documents) {
    yield { kind: 'create', index: tickerIndexOf(slot), id, source };
  }
}
