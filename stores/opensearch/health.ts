import type { Client } from '@opensearch-project/opensearch';
import { INDEX_FIELDS } from '../../core/market/index-fields.ts';
import { monthOfTickerIndex, TICKER_INDICES } from '../../core/market/index-names.ts';
import type { SearchHealth } from '../../core/operate/ports.ts';
import { indexTemplates } from './index-templates.ts';

/** Their values do not matter here. */
const TEMPLATE_NAMES = Object.keys(indexTemplates({ shards: 1, replicas: 0, refreshInterval: '1s' }));

export class OpenSearchHealth implements SearchHealth {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async cluster() {
    const { body } = await this.#client.cluster.health();
    return { status: body.status, nodes: body.number_of_nodes, shards: body.active_shards };
  }

  async olderMonths() {
    const request = { index: TICKER_INDICES, allow_no_indices: true };
    const { body } = await this.#client.indices.getMapping(request);
    const fields = Object.keys(INDEX_FIELDS[TICKER_INDICES]);
    return Object.entries(body)
      .filter(([, { mappings }]) => {
        const mapped = (mappings.properties ?? {}) as Record<string, { doc_values?: boolean }>;
        return fields.some((field) => mapped[field]?.doc_values === false || !mapped[field]);
      })
      .flatMap(([index]) => monthOfTickerIndex(index) ?? [])
      .sort();
  }

  templates() {
    return Promise.all(
      TEMPLATE_NAMES.map(async (name) => {
        const { body } = await this.#client.indices.existsIndexTemplate({ name });
        return { name, exists: body as boolean };
      }),
    );
  }
}
