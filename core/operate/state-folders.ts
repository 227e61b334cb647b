import { isCategory, type Market } from '../market/series.ts';
import type { LakeObjects } from './ports.ts';

/** The markets that have a folder `exchange=…/category=…/` in a folder of the lake. */
export async function marketsWithFolder(
  lake: Pick<LakeObjects, 'folders'>,
  folder: string,
): Promise<Market[]> {
  const markets: Market[] = [];
  for (const ofExchange of await lake.folders(folder)) {
    for (const ofMarket of await lake.folders(ofExchange)) {
      const [, exchange, category] = /exchange=([^/]+)\/category=([^/]+)\/$/.exec(ofMarket) ?? [];
      if (exchange !== undefined && isCategory(category)) markets.push({ exchange, category });
    }
  }
  return markets;
}
