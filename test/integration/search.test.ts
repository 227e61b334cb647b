import { afterAll, beforeAll, expect, it } from 'vitest';
import { OpenSearchSearch } from '../../stores/opensearch/search.ts';
import { openSearch } from './services.ts';

/** Two indices, of which one fails on an aggregation by `name`. */
const INDICES = 'half-broken-a,half-broken-b';

beforeAll(async () => {
  for (const [letter, type] of [
    ['a', 'keyword'],
    ['b', 'text'],
  ]) {
    const index = `half-broken-${letter}`;
    await openSearch.indices.create({
      index,
      body: { mappings: { properties: { name: { type } } } } as object,
    });
    await openSearch.index({ index, body: { name: 'BTC' }, refresh: true });
  }
});
afterAll(() => openSearch.indices.delete({ index: INDICES }));

it('a search of which a shard fails has no answer, rather than half of one', async () => {
  const search = new OpenSearchSearch(openSearch, Date.now() + 5_000);
  const names = { terms: { field: 'name' } };
  await expect(search.aggregate(INDICES, { match_all: {} }, { names })).rejects.toThrow(
    /fielddata|Partial shards/,
  );
});
