import type { Client } from '@opensearch-project/opensearch';

/** CPU time that OpenSearch has used since it started. */
export async function serverCpuSeconds(openSearch: Client): Promise<number> {
  const { body } = await openSearch.nodes.stats();
  return Object.values(body.nodes).reduce(
    (sum, node) => sum + (node.process?.cpu?.total_in_millis ?? 0) / 1_000,
    0,
  );
}
