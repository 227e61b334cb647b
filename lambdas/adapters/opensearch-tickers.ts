import type { Client } from '@opensearch-project/opensearch';
import type { DocumentOutcome, IndexDocument, TickerIndex } from '../index/ports.ts';
import { OpenSearchBulk, type OpenSearchBulkOptions } from './opensearch-bulk.ts';

export type OpenSearchTickersOptions = OpenSearchBulkOptions;

/** The monthly ticker indices, written with `_bulk` creates. */
export class OpenSearchTickers implements TickerIndex {
  readonly #bulk: OpenSearchBulk;

  constructor(client: Client, options: OpenSearchTickersOptions = {}) {
    this.#bulk = new OpenSearchBulk(client, options);
  }

  create(documents: readonly IndexDocument[], deadlineMs: number): Promise<DocumentOutcome[]> {
    return this.#bulk.write(
      documents.map(({ index, id, source }) => ({ kind: 'create', index, id, source })),
      deadlineMs,
    );
  }
}
