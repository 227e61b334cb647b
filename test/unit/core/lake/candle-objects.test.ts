import { describe, expect, it } from 'vitest';
import {
  type CandleObject,
  candleObjectKey,
  overlaps,
  parseCandleObjectKey,
} from '../../../../core/lake/candle-objects.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';

const OBJECT: CandleObject = {
  exchange: 'bybit',
  category: 'linear',
  symbol: 'BTC/USDT',
  hours: 1,
  firstMs: 10 * HOUR_MS,
  lastMs: 12 * HOUR_MS,
  format: 'bybit-v5',
};

describe('recorded candles in the lake', () => {
  it('have a key of their series, times and format, which can be parsed', () => {
    const key = candleObjectKey(OBJECT);
    expect(key).toBe(
      'candles/exchange=bybit/category=linear/symbol=BTC%2FUSDT/hours=1/36000000-43200000.bybit-v5.json.gz',
    );
    expect(parseCandleObjectKey(key)).toEqual(OBJECT);
    const days: CandleObject = { ...OBJECT, hours: 24, format: 'rows' };
    expect(parseCandleObjectKey(candleObjectKey(days))).toEqual(days);
  });

  it.each([
    'candles/readme.txt',
    'candles/exchange=bybit/category=futures/symbol=A/hours=1/1-2.rows.ndjson.gz',
    'candles/exchange=bybit/category=spot/symbol=A/hours=1/1-2.csv',
    'candles/exchange=bybit/category=spot/symbol=%zz/hours=1/1-2.rows.ndjson.gz',
  ])('are not %s', (key) => {
    expect(parseCandleObjectKey(key)).toBeUndefined();
  });

  it('overlap a range if one of them starts or ends in it', () => {
    const range = (from: number, to: number) => overlaps(OBJECT, from * HOUR_MS, to * HOUR_MS);
    expect([range(0, 10), range(0, 11), range(12, 20), range(13, 20)]).toEqual([false, true, true, false]);
  });
});
