import { describe, expect, it } from 'vitest';
import {
  createSource,
  KNOWN_SOURCES,
  sourceConfigSchema,
} from '../../../../../lambdas/ingest/sources/source-config.ts';

const good = { name: 'bybit', exchange: 'bybit', api: 'bybit-v5', categories: ['spot'] };

describe('a source’s configuration', () => {
  it.each(Object.entries(KNOWN_SOURCES))('knows %s', (name, config) => {
    expect(sourceConfigSchema.parse(config)).toEqual(config);
    expect(createSource(config)).toMatchObject({ name, exchange: 'bybit', categories: config.categories });
  });

  it.each([
    ['an API that we do not speak', { api: 'binance' }],
    ['no category', { categories: [] }],
    ['an unknown category', { categories: ['futures'] }],
    ['a name that is no file name', { name: '../x' }],
    ['an exchange that a key cannot hold', { exchange: 'a/b' }],
    ['a misspelt field', { category: 'spot' }],
  ])('refuses %s', (_, wrong) => {
    expect(sourceConfigSchema.safeParse({ ...good, ...wrong }).success).toBe(false);
  });

  it('says which categories an API has', () => {
    const result = sourceConfigSchema.safeParse({ ...good, api: 'bybit-v2', categories: ['linear', 'spot'] });
    expect(result.error?.issues[0]?.message).toBe('bybit-v2 has no spot; it has linear, inverse');
  });
});
