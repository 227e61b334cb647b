import { parseListing } from '../ingest/listings.ts';
import { LISTINGS, listingsKey, listingsPrefix } from '../lake/listing-objects.ts';
import { UnreadableObjectError } from '../lake/ndjson.ts';
import type { OperationServices } from './operation.ts';
import type { ListingIndex } from './ports.ts';
import { marketsWithFolder } from './state-folders.ts';

/**
 * Copies to the index which markets came and went, from where it stopped. Questions are answered from there, because
 * their function has no access to the lake.
 */
export async function indexListings(
  { lake, log, now }: Pick<OperationServices, 'lake' | 'log' | 'now'>,
  listings: ListingIndex,
  deadlineMs: number,
): Promise<void> {
  for (const market of await marketsWithFolder(lake, LISTINGS)) {
    const newestMs = await listings.newestSlot(market, deadlineMs);
    const after = newestMs === undefined ? undefined : listingsKey({ ...market, slotMs: newestMs });
    for await (const key of lake.keys(listingsPrefix(market), after)) {
      if (now() >= deadlineMs) return;
      const lines = await lake.readLines(key).catch((error) => {
        if (!(error instanceof UnreadableObjectError)) throw error;
        log.warn('Records of markets that appeared or ended cannot be read', { key, error });
        return [];
      });
      const found = lines?.flatMap((line) => parseListing(line) ?? []) ?? [];
      if (found.length > 0) await listings.add(found, deadlineMs);
    }
  }
}
