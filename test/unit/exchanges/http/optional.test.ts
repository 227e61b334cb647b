import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MINUTE_MS } from '../../../../core/market/time.ts';
import { FALLBACK_KEPT_MS } from '../../../../exchanges/http/client.ts';
import { createSource } from '../../../../exchanges/http/ticker-source.ts';
import { sourceNamed } from '../../../../exchanges/source-config.ts';
import { recordedPayload } from '../../../samples/recorded-payloads.ts';
import { answer, fetchOne, serveEachTest, server, source, tickersOf } from '../polling.ts';

const TICKERS = '/api/v3/ticker/24hr';
const INSTRUMENTS = '/api/v3/exchangeInfo';
const PREMIUMS = '/fapi/v1/premiumIndex';
const DOWN = { status: 503, body: 'later' };
/** Split by its spelling alone, it would be BNB and BTC. */
const instruments = { symbols: [{ symbol: 'BNBBTC', baseAsset: 'BN', quoteAsset: 'BBTC' }] };

serveEachTest();
beforeEach(() =>
  server.serve({
    [TICKERS]: recordedPayload('binance-ticker-24hr'),
    [INSTRUMENTS]: instruments,
    '/fapi/v1/ticker/24hr': recordedPayload('binance-futures-ticker-24hr'),
    [PREMIUMS]: recordedPayload('binance-futures-premium-index'),
    '/fapi/v1/exchangeInfo': recordedPayload('binance-futures-exchange-info'),
  }),
);
afterEach(() => {
  vi.restoreAllMocks();
});

const times = (path: string) => server.paths().filter((each) => each.startsWith(path)).length;
const realNow = Date.now;
function moveOn(ms: number): void {
  const aheadMs = Date.now() - realNow() + ms;
  vi.spyOn(Date, 'now').mockImplementation(() => realNow() + aheadMs);
}

describe('a request that a poll can do without', () => {
  it('is retried like the others: the list of instruments', async () => {
    answer(INSTRUMENTS, DOWN, DOWN, { body: instruments });
    expect(tickersOf(await fetchOne(source('binance:spot')))).toMatchObject([{ base: 'BN', quote: 'BBTC' }]);
    expect(times(INSTRUMENTS)).toBe(3);
  });

  it('is retried like the others: mark prices', async () => {
    answer(PREMIUMS, DOWN, { body: recordedPayload('binance-futures-premium-index') });
    expect(tickersOf(await fetchOne(source('binance:linear')))[0]).toHaveProperty('mark_price');
  });

  it('takes no more than half of the poll’s time', async () => {
    answer(PREMIUMS, DOWN);
    const begunMs = Date.now();
    const [ticker] = tickersOf(await fetchOne(source('binance:linear'), begunMs + 6_000));
    expect(ticker).not.toHaveProperty('mark_price');
    expect(times(PREMIUMS)).toBeGreaterThan(1);
    expect(Date.now() - begunMs).toBeLessThan(5_500);
  });
});

describe('an answer that is kept', () => {
  it('is used on if it cannot be had again, and is requested again ten minutes later', async () => {
    const onFallback = vi.fn();
    const config = sourceNamed('binance:spot');
    const warm = createSource(config, { baseUrl: server.url, onFallback });
    const polled = async () => tickersOf(await fetchOne(warm, Date.now() + 2_000));
    await polled();
    expect(times(INSTRUMENTS)).toBe(1);
    answer(INSTRUMENTS, DOWN);

    moveOn(7 * 60 * MINUTE_MS);
    expect(await polled()).toMatchObject([{ base: 'BN', quote: 'BBTC' }]);
    expect(onFallback).toHaveBeenCalledExactlyOnceWith({
      url: expect.stringContaining(INSTRUMENTS),
      error: expect.objectContaining({ name: 'SourceUnavailableError' }),
    });
    const soFar = times(INSTRUMENTS);
    expect(await polled()).toMatchObject([{ base: 'BN' }]);
    expect(times(INSTRUMENTS)).toBe(soFar);

    answer(INSTRUMENTS, { body: { symbols: [{ ...instruments.symbols[0], baseAsset: 'NEW' }] } });
    moveOn(FALLBACK_KEPT_MS);
    expect(await polled()).toMatchObject([{ base: 'NEW' }]);
  });

  it('is used on if the new one has another shape', async () => {
    const warm = source('binance:spot');
    await fetchOne(warm);
    answer(INSTRUMENTS, { body: { symbols: 'none' } });
    moveOn(7 * 60 * MINUTE_MS);
    expect(tickersOf(await fetchOne(warm))).toMatchObject([{ base: 'BN' }]);
  });

  it('is used on also if the poll cannot do without it', async () => {
    server.serve({
      '/products': [{ id: 'BTC-USD', quote_currency: 'USD' }],
      '/products/BTC-USD/ticker': recordedPayload('coinbase-ticker'),
      '/products/BTC-USD/stats': recordedPayload('coinbase-stats'),
    });
    const warm = source('coinbase');
    await fetchOne(warm);
    answer('/products', DOWN);
    moveOn(2 * 60 * MINUTE_MS);
    expect(tickersOf(await fetchOne(warm, Date.now() + 2_000))).toMatchObject([{ symbol: 'BTC-USD' }]);
  });
});
