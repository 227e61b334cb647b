import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  CANDLE_EXCHANGES,
  type CandleExchange,
  fetchCandlePage,
} from '../../../../lambdas/backfill/candle-exchange.ts';
import { HOUR_MS } from '../../../../lambdas/domain/candle.ts';
import type { Ask } from '../../../../lambdas/ingest/sources/exchange-adapter.ts';

const bybit = CANDLE_EXCHANGES.bybit as CandleExchange;
const recorded = JSON.parse(
  readFileSync(new URL('../../../fixtures/exchange-payloads/bybit-v5-kline.json', import.meta.url), 'utf8'),
);
const FIRST_MS = 1_670_601_600_000;
const withKline = (kline: unknown) => ({ ...recorded, result: { ...recorded.result, list: [kline] } });

describe('Bybit’s candles', () => {
  it('are asked for by the hour, as many as a page holds', () => {
    const request = { category: 'linear', symbol: 'BTCUSDT', fromMs: 3_600_000, toMs: 7_200_000 } as const;
    expect(bybit.path(request)).toBe(
      '/v5/market/kline?category=linear&symbol=BTCUSDT&interval=60&start=3600000&end=7199999&limit=1000',
    );
  });

  it('are read from the documented answer, oldest first', () => {
    expect(bybit.shape.parse(recorded)).toEqual([
      { startMs: FIRST_MS, open: 17086.5, high: 17088, low: 16978, close: 17071.5 },
      { startMs: FIRST_MS + HOUR_MS, open: 17071.5, high: 17071.5, low: 17061, close: 17071 },
      { startMs: FIRST_MS + 2 * HOUR_MS, open: 17071, high: 17073, low: 17027, close: 17055.5 },
    ]);
  });

  it.each([
    ['a start within an hour', ['1670608800001', '1', '1', '1', '1', '1', '1']],
    ['a price that is none', ['1670608800000', '1', '', '1', '1', '1', '1']],
    ['a price of 0', ['1670608800000', '1', '1', '0', '1', '1', '1']],
    ['a low above the close', ['1670608800000', '2', '3', '2', '1', '1', '1']],
  ])('are refused with %s', (_, kline) => {
    expect(bybit.shape.safeParse(withKline(kline)).success).toBe(false);
  });

  it('outside of what was asked for are left out', async () => {
    const ask = (async (_: unknown, shape: { parse(value: unknown): unknown }) => ({
      value: shape.parse(recorded),
      url: '',
      receivedAt: '',
    })) as Ask;
    const request = {
      category: 'inverse',
      symbol: 'BTCUSD',
      fromMs: FIRST_MS + HOUR_MS,
      toMs: FIRST_MS + 2 * HOUR_MS,
    } as const;
    const { rows, raw } = await fetchCandlePage(bybit, request, ask);
    expect(rows.map(({ startMs }) => startMs)).toEqual([FIRST_MS + HOUR_MS]);
    expect(raw).toEqual(recorded);
  });
});
