import { describe, expect, it } from 'vitest';
import { tickerIndexOf } from '../../../../lambdas/domain/ticker.ts';
import { TICKER_FIELDS } from '../../../../lambdas/domain/ticker-fields.ts';
import { indexTemplates } from '../../../../lambdas/setup/index-templates.ts';
import { SLOT, sampleTicker } from '../sample-tickers.ts';

interface Template {
  index_patterns: string[];
  template: {
    settings: { index: Record<string, unknown> };
    mappings: { dynamic: boolean; properties: Record<string, Record<string, unknown>> };
    aliases: object;
  };
}

const { 'crypto-market-insights-tickers': tickers } = indexTemplates({
  shards: 2,
  replicas: 1,
  refreshInterval: '30s',
}) as unknown as { 'crypto-market-insights-tickers': Template };
const { mappings, settings } = tickers.template;

describe('the tickers’ index template', () => {
  it('is for every monthly index', () => {
    const [pattern] = tickers.index_patterns;
    expect(tickerIndexOf(SLOT)).toMatch(new RegExp(`^${pattern?.replace('*', '.*')}$`));
  });

  it('answers the article’s queries, which ask for symbol and for symbol.keyword', () => {
    expect(mappings.properties.symbol).toEqual({
      type: 'keyword',
      fields: { keyword: { type: 'keyword' } },
    });
  });

  it('maps every value that a ticker may carry, and every field of its identity', () => {
    const fields = new Set([...Object.keys(TICKER_FIELDS), ...Object.keys(sampleTicker())]);
    expect(new Set(Object.keys(mappings.properties))).toEqual(fields);
  });

  it('keeps every digit of a price, and takes any other number for a chart’s', () => {
    for (const [field, kind] of Object.entries(TICKER_FIELDS)) {
      const type = { price: 'double', number: 'float', time: 'date', text: 'keyword' }[kind];
      expect([field, mappings.properties[field]?.type]).toEqual([field, type]);
    }
  });

  it('takes no field that nobody mapped', () => {
    expect(mappings.dynamic).toBe(false);
  });

  it('lays a series’ ticks together, in time order', () => {
    expect(settings.index['sort.field']).toEqual(['exchange', 'category', 'symbol', 'slot']);
    expect(settings.index.codec).toBe('best_compression');
  });

  it('takes the stage’s numbers', () => {
    expect(settings.index).toMatchObject({
      number_of_shards: 2,
      number_of_replicas: 1,
      refresh_interval: '30s',
    });
  });
});
