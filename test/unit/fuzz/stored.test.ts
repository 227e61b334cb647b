import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { decodeValue } from '../../../core/index/decode.ts';
import { parseListing } from '../../../core/ingest/listings.ts';
import { markerText, parseMarker, parseMarkerOfSource } from '../../../core/ingest/marker-text.ts';
import { candleObjectKey, parseCandleObjectKey } from '../../../core/lake/candle-objects.ts';
import { parseRows } from '../../../core/lake/candle-rows.ts';
import { unpackLines } from '../../../core/lake/ndjson.ts';
import { parseTickersKey, tickersKey } from '../../../core/lake/ticker-objects.ts';
import { parseTicker, tickerId } from '../../../core/market/ticker.ts';
import { LATEST_MS } from '../../../core/market/time.ts';
import { printable } from '../../../core/text/printable.ts';
import { fullTicker, SLOT_MS, sampleTicker } from '../../samples/tickers.ts';
import { bytesLike, fuzz, jsonLike, textLike } from './fuzz.ts';

const TICKERS = [sampleTicker(), fullTicker(), sampleTicker({ symbol: '币' })];
const tickerTexts = fc.oneof(
  textLike(...TICKERS.map((each) => JSON.stringify(each)), JSON.stringify(fullTicker(), null, 1)),
  ...TICKERS.map((each) => jsonLike(each).map((value) => JSON.stringify(value) ?? '')),
);

/** A reason goes into logs, dead letters and terminals. */
function expectReason(reason: string): void {
  expect(reason.length).toBeGreaterThan(0);
  expect(reason.length).toBeLessThanOrEqual(500);
  expect(printable(reason)).toBe(reason);
}

describe('a record of the topic', () => {
  const bytes = fc.oneof(
    tickerTexts.map((text) => Buffer.from(text)),
    bytesLike(JSON.stringify(fullTicker())),
  );
  const values = fc.oneof(
    bytes.map((each) => each.toString('base64')),
    textLike(btoa(JSON.stringify(TICKERS[0]))),
  );

  fuzz(
    'is a document on one line with the id of its ticker, or is refused with a reason',
    values,
    (value) => {
      const decoded = decodeValue(value, SLOT_MS);
      if ('reason' in decoded) return expectReason(decoded.reason);
      expect(decoded.source).not.toMatch(/[\n\r]/);
      const parsed = parseTicker(decoded.source);
      expect('ticker' in parsed && tickerId(parsed.ticker)).toBe(decoded.id);
    },
  );
});

describe('a line of the lake', () => {
  // Fields that we do not know are only ever passed on as text: 1e999 in one of them is read as Infinity.
  const knownFields = Object.keys(fullTicker());

  fuzz(
    'is a ticker whose fields stay the same when it is written again, or is refused with a reason',
    tickerTexts,
    (line) => {
      const parsed = parseTicker(line);
      if ('reason' in parsed) return expectReason(parsed.reason);
      const again = parseTicker(JSON.stringify(parsed.ticker));
      expect('ticker' in again && JSON.stringify(again.ticker, knownFields)).toBe(
        JSON.stringify(parsed.ticker, knownFields),
      );
    },
  );

  const listing = {
    v: 1,
    exchange: 'bybit',
    category: 'spot',
    symbol: 'A',
    event: 'ended',
    at: '2026-03-01T12:00:00Z',
  };
  fuzz(
    'is a listing or is none',
    jsonLike(listing).map((value) => JSON.stringify(value) ?? ''),
    (line) => {
      const found = parseListing(line);
      if (found) expect(Date.parse(found.at)).toBeGreaterThan(Number.NEGATIVE_INFINITY);
    },
  );

  const row = [
    SLOT_MS,
    3,
    4,
    1,
    2,
    10,
    null,
    [
      [0, 3],
      [60_000, 4],
    ],
  ];
  const rows = fc.oneof(
    textLike(`${JSON.stringify(row)}\n`),
    jsonLike(row).map((value) => JSON.stringify(value) ?? ''),
  );
  fuzz('is a candle with prices in order, or is refused', rows, (line) => {
    for (const { low, high, open, close, startMs } of readOrRefuse(() => parseRows(line)) ?? []) {
      expect(0 < low && low <= open && open <= high && low <= close && close <= high).toBe(true);
      expect(new Date(startMs).toISOString()).toContain('T');
    }
  });
});

/** What is read, or undefined if it is refused: with a `SyntaxError` of JSON, or zod's error. */
function readOrRefuse<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    expect((error as Error).name).toMatch(/^(SyntaxError|ZodError)$/);
    return undefined;
  }
}

describe('an object of the lake', () => {
  const packed = gzipSync(TICKERS.map((each) => `${JSON.stringify(each)}\n`).join(''));
  fuzz('has lines, or is refused by zlib', bytesLike(packed, gzipSync('')), async (body) => {
    const lines = await unpackLines(body).catch((error) => {
      expect(error.code).toMatch(/^Z_|ERR_BUFFER_TOO_LARGE/);
      return [];
    });
    for (const line of lines) parseTicker(line);
  });

  const marker = markerText({ throughMs: SLOT_MS, beyondMs: [SLOT_MS + 60_000], tickers: 3 });
  const old = JSON.stringify({ v: 1, acknowledged: { spot: { slot: '2026-03-01T12:00:00Z', tickers: 2 } } });
  const markers = fc.oneof(
    textLike(marker, old),
    ...[marker, old].map((text) => jsonLike(JSON.parse(text)).map((value) => JSON.stringify(value) ?? '')),
  );
  fuzz('is a marker that can be stored again, or is refused', markers, (text) => {
    for (const read of [parseMarker, (given: string) => parseMarkerOfSource(given, 'spot')]) {
      const found = readOrRefuse(() => read(text));
      if (found) expect(parseMarker(markerText(found))).toEqual(found);
    }
  });
});

describe('a key of the lake', () => {
  const market = { exchange: 'bybit', category: 'spot' } as const;
  const candles = {
    ...market,
    symbol: 'BTC/USDT',
    hours: 1,
    firstMs: 0,
    lastMs: SLOT_MS,
    format: 'rows',
  } as const;
  const keys = textLike(
    tickersKey({ ...market, slotMs: SLOT_MS }),
    candleObjectKey(candles),
    candleObjectKey({ ...candles, base: 'BTC', quote: 'USDT', format: 'bybit-v5', run: '2026 a' }),
  );
  fuzz('is that of a batch or of candles at real times, or belongs to nobody', keys, (key) => {
    const batch = parseTickersKey(key);
    if (batch) expect(tickersKey(batch)).toBe(key);
    const object = parseCandleObjectKey(key);
    if (!object) return;
    expect(object.lastMs).toBeLessThanOrEqual(LATEST_MS);
    expect(candleObjectKey(object)).toBe(key);
  });
});
