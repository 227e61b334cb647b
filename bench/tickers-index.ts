import type { Client } from '@opensearch-project/opensearch';
import { TICKER_INDICES } from '../core/market/index-names.ts';

/** Deletes every `tickers-*` index. */
export async function emptyTickers(openSearch: Client): Promise<void> {
  const { body } = await openSearch.indices.get({ index: TICKER_INDICES, allow_no_indices: true });
  const names = Object.keys(body);
  if (names.length > 0) await openSearch.indices.delete({ index: names.join(',') });
}
