import type { Market } from '../market/series.ts';
import type { BatchAddress } from './ticker-objects.ts';

/** Beside the markers, because the polls' own state is where they come from. */
export const LISTINGS = 'state/listings/';

/** `state/listings/exchange=…/category=…/`: the keys of a market's listings sort by slot. */
export function listingsPrefix({ exchange, category }: Market): string {
  return `${LISTINGS}exchange=${exchange}/category=${category}/`;
}

/** `state/listings/exchange=…/category=…/<slot in epoch ms>.ndjson.gz`: what came and went with one poll. */
export function listingsKey(address: BatchAddress): string {
  return `${listingsPrefix(address)}${address.slotMs}.ndjson.gz`;
}
