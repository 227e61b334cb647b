import type { Market } from '../market/series.ts';
import type { BatchAddress } from './ticker-objects.ts';

/** Beside the listings: what polls noticed about exchanges. */
export const FAILURES = 'state/failures/';

/** `state/failures/exchange=…/category=…/`: the keys of a market's failed polls sort by slot. */
export function failuresPrefix({ exchange, category }: Market): string {
  return `${FAILURES}exchange=${exchange}/category=${category}/`;
}

/** `state/failures/exchange=…/category=…/<slot in epoch ms>.json`: a poll that the exchange gave no prices for, and why. */
export function failureKey(address: BatchAddress): string {
  return `${failuresPrefix(address)}${address.slotMs}.json`;
}

/** The slot in a key of {@link failureKey}, epoch ms; undefined for any other key. */
export function failureSlotIn(key: string): number | undefined {
  const [, slot] = /\/(\d{1,15})\.json$/.exec(key) ?? [];
  return slot === undefined ? undefined : Number(slot);
}
