import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CandleRow } from '../../../../core/lake/candle-rows.ts';
import type { RecordedPrices } from '../../../../core/market/candle.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { CcxtCandles } from '../../../../exchanges/ccxt/candles.ts';
import { recordedPayload } from '../../../samples/recorded-payloads.ts';
import { CANDLE_PATHS, recordedHours, SYMBOLS, serveCandles } from '../candle-server.ts';
import { ExchangeServer } from '../exchange-server.ts';

const server = new ExchangeServer();
let history: RecordedPrices[];
beforeAll(async () => {
  await server.start();
  history = await recordedHours();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.serve({
    '/0/public/AssetPairs': recordedPayload('kraken-asset-pairs'),
    '/products': recordedPayload('coinbase-products'),
    '/api/v3/exchangeInfo': {
      symbols: [
        {
          symbol: SYMBOLS.binance,
          status: 'TRADING',
          baseAsset: 'BTC',
          quoteAsset: 'USDT',
          isSpotTradingAllowed: true,
          permissions: ['SPOT'],
          filters: [],
        },
      ],
    },
    '/api/v5/public/instruments': {
      code: '0',
      msg: '',
      data: [
        {
          instType: 'SPOT',
          instId: SYMBOLS.okx,
          baseCcy: 'BTC',
          quoteCcy: 'USDT',
          lotSz: '0.00000001',
          minSz: '0.00001',
          tickSz: '0.1',
          state: 'live',
        },
      ],
    },
  });
  serveCandles(server, { candles: history });
});

const asRow = ({ startMs, open, high, low, close }: RecordedPrices): CandleRow => [
  startMs,
  open,
  high,
  low,
  close,
  1,
];

/** Every page, requested as the function with ccxt does. */
async function allPages(id: string, symbol: string, fromMs: number, toMs: number) {
  const candles = new CcxtCandles(id, 'spot', server.url);
  const rows: CandleRow[] = [];
  let nextMs = fromMs;
  let pair = {};
  while (nextMs < toMs) {
    const page = await candles.page({ symbol, fromMs: nextMs, toMs }, Date.now() + 10_000);
    rows.push(...page.rows);
    expect(page.nextMs).toBeGreaterThan(nextMs);
    ({ nextMs, pair } = page);
  }
  return { rows, pair };
}

const page = (id: string, symbol: string, deadlineMs = Date.now() + 2_000) =>
  new CcxtCandles(id, 'spot', server.url).page(
    { symbol, fromMs: history[0]?.startMs ?? 0, toMs: history[9]?.startMs ?? 0 },
    deadlineMs,
  );

describe('candles through ccxt', () => {
  it.each([
    ['gate', SYMBOLS.gate, 'USDT'],
    ['binance', SYMBOLS.binance, 'USDT'],
    ['okx', SYMBOLS.okx, 'USDT'],
    ['coinbaseexchange', SYMBOLS.coinbase, 'USD'],
    ['kraken', SYMBOLS.kraken, 'USD'],
  ])(
    'of %s cover every hour exactly once',
    async (id, symbol, quote) => {
      const [fromMs, toMs] = [history.at(-700)?.startMs ?? 0, history.at(-1)?.startMs ?? 0];
      const { rows, pair } = await allPages(id, symbol, fromMs, toMs);
      expect(rows).toEqual(history.slice(-700, -1).map(asRow));
      expect(pair).toEqual({ base: 'BTC', quote });
    },
    20_000,
  );

  it('skip hours without any, a page at a time', async () => {
    const firstMs = history[0]?.startMs ?? 0;
    const { rows } = await allPages('gate', SYMBOLS.gate, firstMs - 3_000 * HOUR_MS, firstMs + 5 * HOUR_MS);
    expect(rows).toEqual(history.slice(0, 5).map(asRow));
  });

  it.each([
    ['a price of 0', ['1514764800', '1', '0', '3', '2', '2', '1', 'true'], /candle 0.4: .*>0/],
    ['no price', ['1514764800', '1', null, '3', '2', '2', '1', 'true'], /candle 0.4: .*expected number/],
    ['a low above the close', ['1514764800', '1', '1', '3', '2', '2', '1', 'true'], /low <= open, close/],
  ])('fail on %s', async (_, row, message) => {
    server.answerFirst(CANDLE_PATHS.gate, { body: [row] });
    await expect(page('gate', SYMBOLS.gate)).rejects.toThrow(message);
  });

  it('are the others, if an outage moved one off the hour', async () => {
    const body = ['1514764800', '1514768461', '1514772000'].map((s) => [
      s,
      '1',
      '2',
      '3',
      '2',
      '2',
      '1',
      'true',
    ]);
    server.answerFirst(CANDLE_PATHS.gate, { body });
    const { rows, moved } = await page('gate', SYMBOLS.gate);
    expect(rows.map(([startMs]) => startMs)).toEqual([1_514_764_800_000, 1_514_772_000_000]);
    expect(moved).toBe(1);
  });

  it('do not need a volume', async () => {
    const row = ['1514764800', null, '2', '3', '2', '2', null, 'true'];
    server.answerFirst(CANDLE_PATHS.gate, { body: [row] });
    expect((await page('gate', SYMBOLS.gate)).rows).toEqual([[1_514_764_800_000, 2, 3, 2, 2, null]]);
  });

  it('are refused for ccxt’s spelling of a symbol, with the exchange’s', async () => {
    await expect(page('gate', 'BTC/USDT')).rejects.toThrow(
      /its tickers call BTC\/USDT BTC_USDT; use that name/,
    );
    await expect(page('gate', 'NONSUCH')).rejects.toThrow(/gate has no spot market NONSUCH/);
  });

  it('fail with a rate limit if the exchange says so', async () => {
    server.answerFirst(CANDLE_PATHS.gate, { status: 429, headers: { 'retry-after': '60' }, body: {} });
    await expect(page('gate', SYMBOLS.gate)).rejects.toMatchObject({ name: 'RateLimitedError' });
  });

  it('are not available from an exchange that ccxt does not know', () => {
    expect(() => new CcxtCandles('mtgox', 'spot', undefined)).toThrow('ccxt has no exchange "mtgox"');
  });
});
