import type { DocumentOutcome, IndexDocument, TickerIndex } from '../../core/index/ports.ts';
import { type BulkAction, type BulkClient, OpenSearchBulk, type OpenSearchBulkOptions } from './bulk.ts';

export type OpenSearchTickersOptions = OpenSearchBulkOptions;

/** The monthly ticker indices, written with `_bulk` creates. */
export class OpenSearchTickers implements TickerIndex {
  readonly #bulk: OpenSearchBulk;

  constructor(client: BulkClient, options: OpenSearchTickersOptions = {}) {
    this.#bulk = new OpenSearchBulk(client, options);
  }

  create(documents: Iterable<IndexDocument>, deadlineMs: number): Promise<DocumentOutcome[]> {
    return this.#bulk.write(creates(documents), deadlineMs);
  }
}

function* creates(documents: Iterable<IndexDocument>): Generator<BulkAction> {
  for (const { index, id, source } of documents) yield { kind: 'create', index, id, source };
}
