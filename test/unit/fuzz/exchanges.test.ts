import fc from 'fast-check';
import { describe, expect } from 'vitest';
import * as z from 'zod';
import { SourceError } from '../../../core/ingest/source-errors.ts';
import { parseTicker } from '../../../core/market/ticker.ts';
import { EXCHANGES, findTickerApi } from '../../../exchanges/registry.ts';
import { recordedPayload } from '../../samples/recorded-payloads.ts';
import { tickersFrom } from '../exchanges/offline.ts';
import { PAYLOAD_CASES } from '../exchanges/payload-cases.ts';
import { fuzz, jsonLike, slower } from './fuzz.ts';

/** A wrong shape is an error of zod's here; a poll makes it one of the source. */
function expectRefusal(error: unknown): void {
  if (!(error instanceof z.ZodError || error instanceof SourceError)) throw error;
}

describe.each(PAYLOAD_CASES)('an answer of $api, $category', ({ api: name, category, symbols, payloads }) => {
  const api = findTickerApi(name)?.api;
  if (!api) throw new Error(`There is no API ${name}`);

  fuzz(
    'has valid tickers of different markets, or is refused',
    fc.record(
      Object.fromEntries(
        Object.entries(payloads(symbols)).map(([path, payload]) => [path, jsonLike(payload)]),
      ),
    ),
    async (given) => {
      const batch = await tickersFrom(api, category, given).catch(expectRefusal);
      if (!batch) return;
      const { tickers, rejected } = batch;
      expect(
        tickers.flatMap((each) => ('reason' in parseTicker(JSON.stringify(each)) ? [each] : [])),
      ).toEqual([]);
      expect(new Set(tickers.map(({ symbol }) => symbol)).size).toBe(tickers.length);
      for (const { reason } of rejected) expect(reason).not.toBe('');
    },
    slower(PAYLOAD_CASES.length),
  );
});

const CANDLES = {
  bybit: ['bybit-v5-kline', 'BTCUSD'],
  binance: ['binance-klines', 'ETHBTC'],
  okx: ['okx-history-candles', 'BTC-USDT-SWAP'],
  kraken: ['kraken-ohlc', 'XXBTZUSD'],
  coinbase: ['coinbase-candles', 'BTC-USD'],
} as const;

describe.each(Object.entries(CANDLES))('candles of %s', (name, [payload, symbol]) => {
  const shape = EXCHANGES.find((each) => each.name === name)?.candles?.shapeOf(symbol);

  fuzz(
    'are in time order, with prices in order, or are refused',
    jsonLike<unknown>(recordedPayload(payload)),
    (given) => {
      const candles = shape?.safeParse(given).data ?? [];
      for (const [at, { startMs, low, high, open, close }] of candles.entries()) {
        expect(startMs).toBeGreaterThanOrEqual(candles[at - 1]?.startMs ?? 0);
        expect(0 < low && low <= open && open <= high && low <= close && close <= high).toBe(true);
      }
    },
    slower(Object.keys(CANDLES).length),
  );
});
