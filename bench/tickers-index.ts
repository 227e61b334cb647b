import type { Client } from '@opensearch-project/opensearch';

/** Deletes every `tickers-*` index. */
export async function emptyTickers(openSearch: Client): Promise<void> {
  const { body } = await openSearch.indices.get({ index: 'tickers-*', allow_no_indices: true });
  const names = Object.keys(body);
  if (names.length > 0) await openSearch.indices.delete({ index: names.join(',') });
}
