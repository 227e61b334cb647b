import { describe, expect, it } from 'vitest';
import { candleFromHistory } from '../../../../core/market/candle.ts';
import { moveOf, movesOf } from '../../../../core/market/directional-change.ts';
import {
  candleIndexOf,
  LATE_HOURS_INDEX,
  MOVES_INDEX,
  SUMMARY_STATE_INDEX,
  tickerIndexOf,
} from '../../../../core/market/index-names.ts';
import { TICKER_FIELDS } from '../../../../core/market/ticker-fields.ts';
import { candleRecord } from '../../../../stores/opensearch/candle-record.ts';
import { indexTemplates } from '../../../../stores/opensearch/index-templates.ts';
import { SLOT, sampleTicker } from '../../../samples/tickers.ts';

interface Template {
  index_patterns: string[];
  template: {
    settings: { index: Record<string, unknown> };
    mappings: { dynamic: boolean; properties: Record<string, Record<string, unknown>> };
    aliases: object;
  };
}

const templates = indexTemplates({
  shards: 2,
  replicas: 1,
  refreshInterval: '30s',
}) as unknown as Record<string, Template>;
const templateOf = (name: string) => templates[`crypto-market-insights-${name}`] as Template;
const tickers = templateOf('tickers');
const { mappings, settings } = tickers.template;

describe('the tickers’ index template', () => {
  it('applies to every monthly index', () => {
    const [pattern] = tickers.index_patterns;
    expect(tickerIndexOf(SLOT)).toMatch(new RegExp(`^${pattern?.replace('*', '.*')}$`));
  });

  it('supports the article’s queries, which use symbol and symbol.keyword', () => {
    expect(mappings.properties.symbol).toEqual({
      type: 'keyword',
      fields: { keyword: { type: 'keyword' } },
    });
  });

  it('maps every field that a ticker can have', () => {
    const fields = new Set([...Object.keys(TICKER_FIELDS), ...Object.keys(sampleTicker()), 'original']);
    expect(new Set(Object.keys(mappings.properties))).toEqual(fields);
  });

  it('gives every field a column, and every number all its digits', () => {
    for (const [field, kind] of Object.entries(TICKER_FIELDS)) {
      const type = { time: 'date', text: 'keyword' }[kind as string] ?? 'double';
      const { type: mapped, doc_values } = mappings.properties[field] ?? {};
      expect([field, mapped, doc_values]).toEqual([field, type, undefined]);
    }
  });

  it('ignores unmapped fields', () => {
    expect(mappings.dynamic).toBe(false);
  });

  it('keeps a series’ ticks together in time order', () => {
    expect(settings.index['sort.field']).toEqual(['exchange', 'category', 'symbol', 'slot']);
  });

  it('uses the stage’s settings', () => {
    expect(settings.index).toMatchObject({
      number_of_shards: 2,
      number_of_replicas: 1,
      refresh_interval: '30s',
    });
  });
});

describe('the summaries’ index templates', () => {
  const candle = candleFromHistory(
    { exchange: 'archive', category: 'spot', symbol: 'BTCUSD', base: 'BTC', quote: 'USD' },
    { startMs: Date.parse(SLOT), open: 1, high: 2, low: 1, close: 2, volume: 3, turnover: 4 },
    1,
  );
  const propertiesOf = (name: string) => templateOf(name).template.mappings.properties;

  it('apply to every yearly index of candles, to the moves and to the state of summarising', () => {
    const [pattern] = templateOf('candles').index_patterns;
    expect(candleIndexOf(candle.startMs)).toMatch(new RegExp(`^${pattern?.replace('*', '.*')}$`));
    expect(templateOf('moves').index_patterns).toEqual([MOVES_INDEX]);
    expect(templateOf('summaries-state').index_patterns).toEqual([SUMMARY_STATE_INDEX, LATE_HOURS_INDEX]);
  });

  it('map every field that a candle can have, with prices as double', () => {
    expect(new Set(Object.keys(propertiesOf('candles')))).toEqual(
      new Set([...Object.keys(candleRecord(candle)), 'log_return', 'polls_due']),
    );
    for (const price of ['open', 'high', 'low', 'close', 'mean', 'volume', 'turnover', 'log_return']) {
      expect([price, propertiesOf('candles')[price]?.type]).toEqual([price, 'double']);
    }
  });

  it('store a candle’s path without indexing it', () => {
    expect(propertiesOf('candles').path).toEqual({ type: 'object', enabled: false });
  });

  it('map every field that a move can have', () => {
    const moves = [100, 110, 95].map((price, index) => [index, price] as const);
    const [move] = movesOf(moves, 0.05).map((each) => moveOf(candle, each));
    expect(new Set(Object.keys(propertiesOf('moves')))).toEqual(new Set(Object.keys(move ?? {})));
  });

  it('ignore unmapped fields and keep a series’ documents together', () => {
    for (const name of ['candles', 'moves']) {
      const { mappings: closed, settings: kept } = templateOf(name).template;
      expect(closed.dynamic).toBe(false);
      expect((kept.index['sort.field'] as string[]).slice(0, 3)).toEqual(['exchange', 'category', 'symbol']);
    }
  });
});
