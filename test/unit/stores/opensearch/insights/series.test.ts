import { describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../../../../core/market/time.ts';
import { OpenSearchSeries } from '../../../../../stores/opensearch/insights/series.ts';
import type { OpenSearchSearch } from '../../../../../stores/opensearch/search.ts';

const SERIES = { exchange: 'x', category: 'spot', symbol: 'BTCUSD' } as const;

/** How many ranges are searched for ticks, if the series has ticks from one time to another. */
async function rangesSearched(gaps: number, [oldest, newest]: [number | null, number | null]) {
  let searched = 0;
  const search = {
    aggregate: async () => ({ oldest: { value: oldest }, newest: { value: newest } }),
    all: async (_: string, { query }: { query: unknown }) => {
      searched += JSON.stringify(query).split('"slot"').length - 1;
      return [];
    },
  };
  // Every other hour is missing.
  const windows = Array.from({ length: gaps }, (_, gap) => ({
    fromMs: 2 * gap * HOUR_MS,
    toMs: (2 * gap + 1) * HOUR_MS,
  }));
  await new OpenSearchSeries(search as unknown as OpenSearchSearch).ticks(SERIES, windows);
  return searched;
}

describe('the ticks of a gappy history', () => {
  it('are only searched for where the series has ticks', async () => {
    expect(await rangesSearched(8_000, [15_998 * HOUR_MS, 15_999 * HOUR_MS])).toBe(1);
    expect(await rangesSearched(8_000, [15_996 * HOUR_MS, 15_998.5 * HOUR_MS])).toBe(2);
    expect(await rangesSearched(8_000, [null, null])).toBe(0);
  });

  it('are searched for at once in a few gaps', async () => {
    expect(await rangesSearched(3, [null, null])).toBe(3);
    expect(await rangesSearched(0, [null, null])).toBe(0);
  });
});
