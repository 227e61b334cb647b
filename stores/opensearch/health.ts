import type { Client } from '@opensearch-project/opensearch';
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

  templates() {
    return Promise.all(
      TEMPLATE_NAMES.map(async (name) => {
        const { body } = await this.#client.indices.existsIndexTemplate({ name });
        return { name, exists: body as boolean };
      }),
    );
  }
}
