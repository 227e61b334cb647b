import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecordedPrices } from '../../../../core/market/candle.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import type { Slice } from '../../../../core/operate/operation.ts';
import type { CandlesOutput } from '../../../../lambdas/candles-ccxt/handler.ts';
import { CANDLE_PATHS, recordedHours, SYMBOLS, serveCandles } from '../../exchanges/candle-server.ts';
import { ExchangeServer } from '../../exchanges/exchange-server.ts';

const server = new ExchangeServer();
let candles: RecordedPrices[];
let handler: (event: unknown, context: Context) => Promise<Slice<CandlesOutput>>;
beforeAll(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  ({ handler } = await import('../../../../lambdas/candles-ccxt/handler.ts'));
  await server.start();
  candles = (await recordedHours()).slice(-1_500);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.stop();
});
beforeEach(() => {
  server.serve({});
  serveCandles(server, { candles });
});

const iso = (ms: number) => new Date(ms).toISOString();
const firstMs = () => candles[0]?.startMs ?? 0;
const lastMs = () => candles.at(-1)?.startMs ?? 0;
const inputOf = (given: object = {}) => ({
  exchange: 'gate',
  category: 'spot',
  symbols: [SYMBOLS.gate],
  from: iso(firstMs()),
  to: iso(lastMs()),
  baseUrl: server.url,
  ...given,
});
const context = { getRemainingTimeInMillis: () => 60_000 } as Context;

/** Slice after slice to the end, each through JSON as Lambda passes it. */
async function fetchAll(input: object, sliceMs: number): Promise<Slice<CandlesOutput>[]> {
  const slices: Slice<CandlesOutput>[] = [];
  let cursor: unknown;
  do {
    const event = { input, sliceMs, ...(cursor ? { cursor } : {}) };
    const slice = JSON.parse(JSON.stringify(await handler(event, context))) as Slice<CandlesOutput>;
    slices.push(slice);
    cursor = slice.cursor;
  } while (cursor);
  return slices;
}

const startsOf = (slices: Slice<CandlesOutput>[]) =>
  slices.flatMap(({ output }) => output.series.flatMap(({ rows }) => rows.map(([startMs]) => startMs)));

describe('the function that fetches candles through ccxt', () => {
  it('brings every closed hour once, however short the slices', async () => {
    const slices = await fetchAll(inputOf(), 1);
    expect(slices.length).toBeGreaterThan(1);
    expect(startsOf(slices)).toEqual(candles.slice(0, -1).map(({ startMs }) => startMs));
    expect(slices.at(-1)?.progress).toEqual({ done: 1_499, total: 1_499, unit: 'hours' });
    expect(slices.reduce((sum, { output }) => sum + output.hours, 0)).toBe(1_499);
    expect(slices.flatMap(({ output }) => output.notes)).toEqual([]);
    expect(slices[0]?.output.series[0]).toMatchObject({ symbol: 'BTC_USDT', base: 'BTC', quote: 'USDT' });
  });

  it('tells from when on there are candles, once', async () => {
    const slices = await fetchAll(inputOf({ from: iso(firstMs() - 30 * HOUR_MS) }), 1);
    expect(slices.flatMap(({ output }) => output.notes)).toEqual([
      `gate BTC_USDT: the exchange gives no candles before ${iso(firstMs())}.`,
    ]);
  });

  it('tells that there are none of a time', async () => {
    const range = { from: '2010-01-01T00:00:00Z', to: '2010-01-02T00:00:00Z' };
    const [slice, ...others] = await fetchAll(inputOf(range), 10_000);
    expect(others).toEqual([]);
    expect(slice?.output).toEqual({
      series: [],
      hours: 24,
      notes: ['gate BTC_USDT: the exchange gives no candles of that time.'],
    });
  });

  it('waits as long as the exchange asks it to, and goes on', async () => {
    server.answerFirst(CANDLE_PATHS.gate, { status: 429, headers: { 'retry-after': '1' }, body: {} });
    const begunMs = Date.now();
    expect(startsOf(await fetchAll(inputOf({ to: iso(firstMs() + 5 * HOUR_MS) }), 300))).toHaveLength(5);
    expect(Date.now() - begunMs).toBeGreaterThanOrEqual(990);
  });

  it('refuses what is no question', async () => {
    await expect(handler({ input: inputOf({ exchange: 'Gate!' }) }, context)).rejects.toThrow(
      /id of an exchange/,
    );
    await expect(handler({ input: inputOf({ symbols: [] }) }, context)).rejects.toThrow();
  });
});
