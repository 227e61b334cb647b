import { hoursDown } from '../completeness/failures.ts';
import { type Listing, parseListing } from '../ingest/listings.ts';
import { inScope } from '../insights/in-scope.ts';
import type { MarketListings, MarketNotes, Scope } from '../insights/ports.ts';
import { LISTINGS, listingsPrefix } from '../lake/listing-objects.ts';
import type { SamplingIntervals } from '../market/sampling.ts';
import type { Market } from '../market/series.ts';
import { failedPollsIn } from './index-failures.ts';
import type { LakeObjects } from './ports.ts';
import { marketsWithFolder } from './state-folders.ts';

/** What polls noticed about exchanges, as they wrote it into the lake. */
export class LakeNotes implements MarketListings, MarketNotes {
  readonly #lake: LakeObjects;
  readonly #samplingIntervals: SamplingIntervals;

  constructor(lake: LakeObjects, samplingIntervals: SamplingIntervals) {
    this.#lake = lake;
    this.#samplingIntervals = samplingIntervals;
  }

  async listings(scope: Scope): Promise<Listing[]> {
    const found: Listing[] = [];
    for (const market of (await marketsWithFolder(this.#lake, LISTINGS)).filter(inScope(scope))) {
      for await (const key of this.#lake.keys(listingsPrefix(market))) {
        const lines = await this.#lake.readLines(key);
        found.push(...(lines ?? []).flatMap((line) => parseListing(line) ?? []));
      }
    }
    return found.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  }

  async exchangeDown(market: Market): Promise<ReadonlySet<number>> {
    return hoursDown(await Array.fromAsync(failedPollsIn(this.#lake, market, 0, this.#samplingIntervals)));
  }
}
