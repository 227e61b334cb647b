import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import {
  breakingColumnChanges,
  breakingRecordChanges,
  parquetSchema,
  recordSchema,
  schemaFiles,
} from '../../../../core/columns/schemas.ts';
import { parseTicker } from '../../../../core/market/ticker.ts';
import { candleRecord } from '../../../../stores/opensearch/candle-record.ts';
import { recordedWeeks } from '../../../samples/recorded-weeks.ts';
import { fullTicker } from '../../../samples/tickers.ts';

const FOLDER = fileURLToPath(new URL('../../../../schemas', import.meta.url));

const validatorOf = (name: Parameters<typeof recordSchema>[0]) =>
  new Ajv2020({ validateFormats: false }).compile(recordSchema(name));

describe('the schemas', () => {
  it('are committed as the code makes them; otherwise run "npm run schemas -- --write-docs"', () => {
    const committed = readdirSync(FOLDER).map((name) => [name, readFileSync(`${FOLDER}/${name}`, 'utf8')]);
    expect(Object.fromEntries(committed)).toEqual(schemaFiles());
  });

  it('accept a ticker exactly if the index does', () => {
    const isValid = validatorOf('ticker');
    const whole = fullTicker();
    expect(isValid(whole), JSON.stringify(isValid.errors)).toBe(true);
    for (const field of Object.keys(whole)) {
      const { [field as keyof typeof whole]: _, ...without } = whole;
      for (const ticker of [
        without,
        { ...whole, [field]: null },
        { ...whole, [field]: '' },
        { ...whole, [field]: {} },
      ]) {
        expect(isValid(ticker), `${field}: ${JSON.stringify(ticker[field as never])}`).toBe(
          'ticker' in parseTicker(JSON.stringify(ticker)),
        );
      }
    }
    expect(isValid({ ...whole, of_a_later_version: 1 })).toBe(true);
  });

  it('accept candles and moves', async () => {
    const { candles, moves } = await recordedWeeks();
    const [isCandle, isMove] = [validatorOf('candle'), validatorOf('move')];
    expect(candles.map(candleRecord).filter((candle) => !isCandle(candle))).toEqual([]);
    expect(moves.filter((move) => !isMove(move))).toEqual([]);
    expect(moves.some((move) => move.size === undefined)).toBe(true);
  });
});

describe('a change of a schema', () => {
  const older = recordSchema('ticker');
  const { last_price, ...others } = older.properties as typeof older.properties & { last_price: object };
  const { basis, ...withoutBasis } = older.properties;

  it.each([
    ['removes a field', { ...older, properties: withoutBasis }, ['basis is gone']],
    [
      'renames one',
      { ...older, properties: { ...withoutBasis, base_diff: basis as object } },
      ['basis is gone'],
    ],
    [
      'gives one another type',
      { ...older, properties: { ...others, last_price: { type: 'string' } } },
      ['last_price is {"type":"string"}, was {"type":"number","exclusiveMinimum":0}'],
    ],
    ['requires one', { ...older, required: [...older.required, 'basis'] }, ['basis is required']],
    [
      'lets one be absent',
      { ...older, required: older.required.filter((field) => field !== 'last_price') },
      ['last_price may be absent'],
    ],
  ])('breaks readers if it %s, unless it has another version', (_, newer, changes) => {
    expect(breakingRecordChanges(older, newer)).toEqual(changes);
    const nextVersion = { ...newer, properties: { ...newer.properties, v: { const: 2 } } };
    expect(breakingRecordChanges(older, nextVersion)).toEqual([]);
  });

  it('breaks nobody if it adds a field, or says something in other words', () => {
    const properties = {
      ...older.properties,
      more: { type: 'number' },
      basis: { ...basis, description: 'New.' },
    };
    expect(breakingRecordChanges(older, { ...older, properties })).toEqual([]);
  });

  it('breaks readers if a column is gone or has another type, at any depth', () => {
    const candles = parquetSchema('candles');
    const changed = candles
      .replace('optional double close;', 'optional double last;')
      .replace('optional int32 hours (INTEGER(32,true));', 'optional int64 hours (INTEGER(64,true));')
      .replace('int32 offset_ms', 'int64 offset_ms');
    expect(breakingColumnChanges(candles, candles.replace('}', '  optional double more;\n}'))).toEqual([]);
    expect(breakingColumnChanges(candles, changed)).toEqual([
      'hours is optional int64 (INTEGER(64,true)), was optional int32 (INTEGER(32,true))',
      'close is gone',
      'offset_ms is optional int64 (INTEGER(32,true)), was optional int32 (INTEGER(32,true))',
    ]);
  });
});
