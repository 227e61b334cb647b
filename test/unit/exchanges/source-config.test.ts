import { describe, expect, it } from 'vitest';
import { createSource } from '../../../exchanges/http/ticker-source.ts';
import {
  KNOWN_SOURCES,
  sourceConfigSchema,
  sourceNamed,
  usesCcxt,
} from '../../../exchanges/source-config.ts';

const good = { name: 'bybit', exchange: 'bybit', api: 'bybit-v5', categories: ['spot'] };

describe('a source’s configuration', () => {
  it.each(Object.entries(KNOWN_SOURCES))('has a default for %s', (name, config) => {
    expect(sourceConfigSchema.parse(config)).toEqual(config);
    expect(createSource(config)).toMatchObject({
      name,
      exchange: config.exchange,
      categories: config.categories,
    });
  });

  it.each([
    ['an unknown API', { api: 'mtgox' }],
    ['no category', { categories: [] }],
    ['an unknown category', { categories: ['futures'] }],
    ['a name that is not a file name', { name: '../x' }],
    ['an exchange that cannot be part of a key', { exchange: 'a/b' }],
    ['an invalid ccxt id', { api: 'ccxt:../x' }],
    ['no pattern', { symbols: { include: [] } }],
    ['a misspelt field', { category: 'spot' }],
  ])('refuses %s', (_, wrong) => {
    expect(sourceConfigSchema.safeParse({ ...good, ...wrong }).success).toBe(false);
  });

  it('lists the categories of an API', () => {
    const result = sourceConfigSchema.safeParse({ ...good, api: 'bybit-v2', categories: ['linear', 'spot'] });
    expect(result.error?.issues[0]?.message).toBe('bybit-v2 has no spot; it has linear, inverse');
  });
});

describe('a source’s short name', () => {
  it.each(Object.entries(KNOWN_SOURCES))('%s is known', (name, config) => {
    expect(sourceNamed(name)).toEqual(config);
    expect(usesCcxt(config)).toBe(false);
  });

  it('may include categories', () => {
    expect(sourceNamed('binance:spot').categories).toEqual(['spot']);
    expect(sourceNamed('okx:linear,inverse').categories).toEqual(['linear', 'inverse']);
  });

  it('may be any exchange of ccxt', () => {
    const gate = { name: 'ccxt-gate', exchange: 'gate', api: 'ccxt:gate', categories: ['spot'] };
    expect(sourceNamed('ccxt:gate')).toEqual(gate);
    expect(sourceNamed('ccxt:gate:spot,linear')).toEqual({ ...gate, categories: ['spot', 'linear'] });
    expect(usesCcxt(sourceNamed('ccxt:gate'))).toBe(true);
  });

  it.each(['mtgox', '', 'constructor', '__proto__'])('lists the alternatives to %j', (name) => {
    expect(() => sourceNamed(name)).toThrow(/There is no source .*Choose bybit, .*ccxt:<id>/);
  });

  it.each(['bybit:', 'kraken:linear', 'binance:futures', 'ccxt:', 'ccxt:Gate.io'])(
    'says what is wrong with %j',
    (name) => {
      expect(() => sourceNamed(name)).toThrow(/is not a valid source: (categories|api|name|exchange)/);
    },
  );

  it('of ccxt belongs in the function with ccxt', () => {
    expect(() => createSource(sourceNamed('ccxt:gate'))).toThrow('ingest-ccxt');
  });
});
