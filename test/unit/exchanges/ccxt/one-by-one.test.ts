import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CategoryOutcome } from '../../../../core/ingest/ports.ts';
import { HOUR_MS } from '../../../../core/market/time.ts';
import { createCcxtSource } from '../../../../exchanges/ccxt/source.ts';
import { sourceNamed } from '../../../../exchanges/source-config.ts';
import { answer, errorOf, fetchOne, serveEachTest, server } from '../polling.ts';

/** Zaif has no request for all tickers. ccxt calls it ten times a second. */
const LIST = '/api/1/currency_pairs/all';
const COINS = ['btc', 'eth', 'xem', 'mona', 'bch', 'fscc'];
const IDS = COINS.map((coin) => `${coin}_jpy`);
const path = (id: string) => `/api/1/ticker/${id}`;
const markets = COINS.map((coin) => ({
  currency_pair: `${coin}_jpy`,
  name: `${coin.toUpperCase()}/JPY`,
  item_unit_step: 0.0001,
  aux_unit_step: 5,
}));
const ticker = { last: 100, high: 110, low: 90, vwap: 101, volume: 5, bid: 99, ask: 101 };
const DOWN = { status: 503, body: 'down' };

serveEachTest();
beforeEach(() => {
  server.serve({ [LIST]: markets, ...Object.fromEntries(IDS.map((id) => [path(id), ticker])) });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const source = (options: object = {}) =>
  createCcxtSource(sourceNamed('ccxt:zaif'), { baseUrl: server.url, ...options });
const batchOf = (outcome: CategoryOutcome) => {
  if ('error' in outcome) throw outcome.error;
  return outcome.batch;
};
const symbolsOf = (outcome: CategoryOutcome) => batchOf(outcome).tickers.map(({ symbol }) => symbol);
const askedFor = () => server.paths().filter((each) => each.startsWith('/api/1/ticker/'));

describe('an exchange that answers one market a request', () => {
  it('is asked for each of them, and says how many there should be', async () => {
    const outcome = await fetchOne(source());
    expect(symbolsOf(outcome)).toEqual(IDS);
    expect(batchOf(outcome)).toMatchObject({ expected: IDS.length, rejected: [] });
  });

  it.each([
    ['refuses', { status: 400, body: { error: 'unsupported currency_pair' } }, { id: 'eth_jpy' }],
    ['answers with an error page', { body: '<html>oops</html>' }, '<html>oops</html>'],
    ['is unavailable all the time', DOWN, { id: 'eth_jpy' }],
  ])('loses only the market that %s', async (_, failure, value) => {
    answer(path('eth_jpy'), failure);
    const outcome = await fetchOne(source());
    expect(symbolsOf(outcome)).toEqual(IDS.filter((id) => id !== 'eth_jpy'));
    expect(batchOf(outcome).expected).toBe(IDS.length);
    expect(batchOf(outcome).rejected).toMatchObject([{ reason: expect.any(String), value }]);
  });

  it('is asked again only for the market that failed for a moment', async () => {
    answer(path('eth_jpy'), DOWN, { body: ticker });
    expect(symbolsOf(await fetchOne(source()))).toEqual(IDS);
    expect(askedFor()).toHaveLength(IDS.length + 1);
  });

  it('gives the others their turn in the next polls if it is slow', async () => {
    const warm = source();
    const seen = new Set<string>();
    while (seen.size < IDS.length) {
      // A second is reserved; in the rest two or three markets have their turn.
      const outcome = await fetchOne(warm, Date.now() + 1_250);
      const symbols = symbolsOf(outcome);
      expect(symbols.length).toBeLessThan(IDS.length);
      expect(batchOf(outcome).expected).toBe(IDS.length);
      for (const symbol of symbols) seen.add(symbol);
    }
    expect(seen).toEqual(new Set(IDS));
  });

  it('waits for a rate limit that ends in time', async () => {
    answer(
      path('eth_jpy'),
      { status: 429, headers: { 'retry-after': '2' }, body: 'slow down' },
      { body: ticker },
    );
    expect(symbolsOf(await fetchOne(source(), Date.now() + 20_000))).toEqual(IDS);
  });

  it('keeps what came before a rate limit that does not, and begins with the market after it', async () => {
    answer(path('eth_jpy'), { status: 429, headers: { 'retry-after': '600' }, body: 'slow down' });
    const outcome = await fetchOne(source());
    expect(symbolsOf(outcome)).toEqual(['btc_jpy']);
    expect(batchOf(outcome)).toMatchObject({ expected: IDS.length, rejected: [] });
    expect(askedFor()).toHaveLength(2);
  });

  it('fails if no market can be had', async () => {
    for (const id of IDS) answer(path(id), { status: 400, body: { error: 'maintenance' } });
    expect(errorOf(await fetchOne(source()))?.name).toBe('SourceRefusedError');
  });
});

describe('the list of markets', () => {
  it('stays in use if a new one cannot be had', async () => {
    const onFallback = vi.fn();
    const warm = source({ onFallback });
    await fetchOne(warm);
    answer(LIST, DOWN);
    const now = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 7 * HOUR_MS);
    expect(symbolsOf(await fetchOne(warm))).toEqual(IDS);
    expect(onFallback).toHaveBeenCalledTimes(1);
    const lists = server.paths().filter((each) => each === LIST).length;
    expect(symbolsOf(await fetchOne(warm))).toEqual(IDS);
    expect(server.paths().filter((each) => each === LIST)).toHaveLength(lists);
  });
});
