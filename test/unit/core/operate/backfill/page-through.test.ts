import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseCandleObjectKey } from '../../../../../core/lake/candle-objects.ts';
import { parseRows } from '../../../../../core/lake/candle-rows.ts';
import type { RecordedPrices } from '../../../../../core/market/candle.ts';
import { HOUR_MS } from '../../../../../core/market/time.ts';
import {
  type PageCursor,
  type PageRequest,
  type PagesOutput,
  pageThrough,
} from '../../../../../core/operate/backfill/page-through.ts';
import type { Slice } from '../../../../../core/operate/operation.ts';
import { CcxtCandles } from '../../../../../exchanges/ccxt/candles.ts';
import { CANDLE_PATHS, recordedHours, SYMBOLS, serveCandles } from '../../../exchanges/candle-server.ts';
import { ExchangeServer } from '../../../exchanges/exchange-server.ts';

const server = new ExchangeServer();
let candles: RecordedPrices[];
/** What is in the lake, by the first hour in each object. */
let lake: { firstMs: number; rows: RecordedPrices[] }[];
beforeAll(async () => {
  await server.start();
  candles = (await recordedHours()).slice(-1_500);
});
afterAll(() => server.stop());
beforeEach(() => {
  server.serve({});
  serveCandles(server, { candles });
  lake = [];
});

const iso = (ms: number) => new Date(ms).toISOString();
const firstMs = () => candles[0]?.startMs ?? 0;
const lastMs = () => candles.at(-1)?.startMs ?? 0;
const log = { info() {}, warn() {}, error() {} };
const history = {
  put: async (object: { firstMs: number }, content: string) => {
    lake.push({ firstMs: object.firstMs, rows: parseRows(content) });
  },
};

/** Slice after slice to the end; cursors travel as JSON, as Lambda passes them. */
async function fetchAll(given: Partial<PageRequest>, sliceMs: number): Promise<Slice<PagesOutput>[]> {
  const request: PageRequest = {
    exchange: 'gate',
    category: 'spot',
    symbols: [SYMBOLS.gate],
    fromMs: firstMs(),
    toMs: lastMs(),
    ...given,
  };
  const pager = new CcxtCandles('gate', 'spot', server.url);
  const slices: Slice<PagesOutput>[] = [];
  let cursor: PageCursor | undefined;
  do {
    const [deadlineMs, endMs] = [Date.now() + sliceMs, Date.now() + 60_000];
    const services = { pager, history, log, now: Date.now, sleep };
    const slice = await pageThrough(request, cursor, services, { deadlineMs, endMs });
    slices.push(slice);
    cursor = slice.cursor && JSON.parse(JSON.stringify(slice.cursor));
  } while (cursor);
  return slices;
}

const startsInLake = () => lake.flatMap(({ rows }) => rows.map(({ startMs }) => startMs));

describe('fetching candles through ccxt into the lake', () => {
  it('stores every closed hour once, however short the slices', async () => {
    const slices = await fetchAll({}, 1);
    expect(slices.length).toBeGreaterThan(1);
    expect(startsInLake()).toEqual(candles.slice(0, -1).map(({ startMs }) => startMs));
    expect(slices.at(-1)?.progress).toEqual({ done: 1_499, total: 1_499, unit: 'hours' });
    expect(slices.reduce((sum, { output }) => sum + output.hours, 0)).toBe(1_499);
    expect(slices.flatMap(({ output }) => output.notes)).toEqual([]);
  });

  it('names every object that it stored', async () => {
    const slices = await fetchAll({}, 1);
    const objects = slices.flatMap(({ output }) => output.objects).map((key) => parseCandleObjectKey(key));
    expect(objects.map((object) => object?.firstMs)).toEqual(lake.map((object) => object.firstMs));
    expect(objects[0]).toMatchObject({ exchange: 'gate', symbol: 'BTC_USDT', base: 'BTC', quote: 'USDT' });
  });

  it('says once when the exchange’s candles begin', async () => {
    const slices = await fetchAll({ fromMs: firstMs() - 30 * HOUR_MS }, 1);
    expect(slices.flatMap(({ output }) => output.notes)).toEqual([
      `gate BTC_USDT: the exchange has no candles before ${iso(firstMs())}.`,
    ]);
  });

  it('says how many candles an outage moved off the hour', async () => {
    const third = candles[3] as RecordedPrices;
    const moved = candles.map((candle) =>
      candle === third ? { ...third, startMs: third.startMs + 61_000 } : candle,
    );
    serveCandles(server, { candles: moved });
    const slices = await fetchAll({ toMs: firstMs() + 10 * HOUR_MS }, 10_000);
    expect(startsInLake()).toEqual(
      candles
        .filter((candle) => candle !== third)
        .slice(0, 9)
        .map(({ startMs }) => startMs),
    );
    expect(slices.flatMap(({ output }) => output.notes)).toEqual([
      expect.stringMatching(
        /^gate BTC_USDT: between \S+ and \S+, 1 candle does not start on the hour: left out\.$/,
      ),
    ]);
  });

  it('says that there are no candles for a time', async () => {
    const range = { fromMs: Date.UTC(2010, 0, 1), toMs: Date.UTC(2010, 0, 2) };
    const [slice, ...others] = await fetchAll(range, 10_000);
    expect(others).toEqual([]);
    expect(slice?.output).toEqual({
      objects: [],
      hours: 24,
      notes: ['gate BTC_USDT: the exchange has no candles for that time.'],
    });
    expect(lake).toEqual([]);
  });

  it('waits as long as the exchange asks, and continues', async () => {
    server.answerFirst(CANDLE_PATHS.gate, { status: 429, headers: { 'retry-after': '1' }, body: {} });
    const begunMs = Date.now();
    await fetchAll({ toMs: firstMs() + 5 * HOUR_MS }, 300);
    expect(startsInLake()).toHaveLength(5);
    expect(Date.now() - begunMs).toBeGreaterThanOrEqual(990);
  });
});
