import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { answer, type QuestionInput, questionSchema } from '../../../../core/insights/question.ts';
import { InMemoryStore } from './in-memory-store.ts';
import { flat, hourMs, withReturns } from './sample-candles.ts';

const page = readFileSync(new URL('../../../../docs/definitions.md', import.meta.url), 'utf8');
const defined = new Set([...page.matchAll(/`(\w+)`/g)].map(([, name]) => name));

const candles = withReturns(Array.from({ length: 96 }, (_, hour) => flat(hour, 100 + (hour % 5) * 10)));
const other = candles.map((candle) => ({ ...candle, symbol: 'ETHUSD' }));
const traded = [...candles, ...other].map((candle) => ({ ...candle, volume: 1, quote: 'USD' }));
const store = new InMemoryStore(traded);
store.changes = [{ series: 'recorded:spot:BTCUSD', samples: 9, percentiles: { 5: 0.1 } }];
store.moves = [{ series: 'recorded:spot:BTCUSD', threshold: 0.05, direction: 'rise', count: 1 }];

/** Of the move itself, and what every answer has. */
const PLAIN =
  'series symbol quote from to direction from_price from_time confirmed_price confirmed_time to_price to_time size';

/** The names of an answer's fields, at any depth; keys that are values (`"5"`, `24h`) are not names. */
function fieldsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(fieldsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(/^\d/.test(name) ? [] : [name]),
    ...fieldsOf(inner),
  ]);
}

describe('docs/definitions.md', () => {
  it.each<QuestionInput>([
    { question: 'average', symbol: 'BTCUSD', over: '4d' },
    { question: 'moves', symbol: 'BTCUSD', over: '4d', horizons: ['4h'] },
    { question: 'percentiles', over: '4d', minCoverage: 0 },
    { question: 'percentiles', symbol: 'BTCUSD', over: '4d', fromCandles: true },
    { question: 'volatile', over: '4d' },
    { question: 'compare', symbols: ['BTCUSD'], over: '4d' },
    { question: 'drawdown', symbol: 'BTCUSD', over: '4d' },
    { question: 'returns', symbol: 'BTCUSD', by: 'day', over: '4d' },
    { question: 'correlate', symbols: ['BTCUSD', 'ETHUSD'], over: '4d' },
    { question: 'profile', symbol: 'BTCUSD', over: '4d' },
    { question: 'series' },
  ])('defines every field of the answer to $question', async (question) => {
    const found = await answer(questionSchema.parse(question), hourMs(96), store.asStores(), {});
    const undefinedFields = fieldsOf(found).filter(
      (name) => !defined.has(name) && !PLAIN.split(' ').includes(name),
    );
    expect([...new Set(undefinedFields)]).toEqual([]);
  });
});
