import { beforeEach, describe, expect, it } from 'vitest';
import { recordedPayload } from '../../samples/recorded-payloads.ts';
import {
  answer,
  errorOf,
  fetchAll,
  fetchOne,
  serveEachTest,
  server,
  source,
  tickersOf,
  traffic,
} from './polling.ts';

serveEachTest();

describe('Binance', () => {
  const spot = '/api/v3/ticker/24hr';
  const everything = () => ({
    [spot]: recordedPayload('binance-ticker-24hr'),
    '/api/v3/exchangeInfo': recordedPayload('binance-exchange-info'),
    '/fapi/v1/ticker/24hr': recordedPayload('binance-futures-ticker-24hr'),
    '/fapi/v1/premiumIndex': recordedPayload('binance-futures-premium-index'),
    '/fapi/v1/exchangeInfo': recordedPayload('binance-futures-exchange-info'),
  });
  beforeEach(() => server.serve(everything()));

  it('requests its instruments once, and its tickers in every poll', async () => {
    const warm = source('binance');
    await fetchAll(warm);
    await fetchAll(warm);
    const count = (path: string) => server.paths().filter((each) => each.startsWith(path)).length;
    expect(count('/api/v3/exchangeInfo')).toBe(1);
    expect(count('/fapi/v1/exchangeInfo')).toBe(1);
    expect(count(spot)).toBe(2);
    expect(count('/fapi/v1/premiumIndex')).toBe(2);
  });

  it('splits the symbol if the instruments are unavailable, and requests them again in the next poll', async () => {
    answer(
      '/api/v3/exchangeInfo',
      { status: 404, body: 'moved' },
      { body: everything()['/api/v3/exchangeInfo'] },
    );
    const warm = source('binance:spot');
    expect(tickersOf(await fetchOne(warm))).toMatchObject([{ base: 'BNB', quote: 'BTC' }]);
    expect(server.paths()).toHaveLength(2);
    await fetchOne(warm);
    await fetchOne(warm);
    expect(server.paths().filter((path) => path.startsWith('/api/v3/exchangeInfo'))).toHaveLength(2);
  });

  it('does without mark prices if they are unavailable', async () => {
    server.answers.delete('/fapi/v1/premiumIndex');
    const [ticker] = tickersOf(await fetchOne(source('binance:linear')));
    expect(ticker).toMatchObject({ symbol: 'BTCUSDT', price_24h_pcnt: -0.9596 });
    expect(ticker).not.toHaveProperty('mark_price');
  });

  it('leaves out markets that are no longer traded', async () => {
    const info = recordedPayload<{ symbols: { symbol: string; status: string }[] }>('binance-exchange-info');
    for (const each of info.symbols) each.status = 'BREAK';
    answer('/api/v3/exchangeInfo', { body: info });
    expect(await fetchOne(source('binance:spot'))).toMatchObject({ batch: { tickers: [], rejected: [] } });
  });

  it('skips an instrument that it does not understand', async () => {
    const info = recordedPayload<{ symbols: unknown[] }>('binance-exchange-info');
    info.symbols.unshift(null, { symbol: 'X' });
    answer('/api/v3/exchangeInfo', { body: info });
    expect(tickersOf(await fetchOne(source('binance:spot')))).toMatchObject([{ base: 'BNB', quote: 'BTC' }]);
  });

  it('waits as long as Retry-After says', async () => {
    answer(
      spot,
      { status: 429, headers: { 'retry-after': '1' }, body: { code: -1003, msg: 'Too many requests.' } },
      { body: everything()[spot] },
    );
    expect(tickersOf(await fetchOne(source('binance:spot')))).toHaveLength(1);
    const [first, second] = server.asked.filter(({ path }) => path === spot).map(({ atMs }) => atMs);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(950);
  });

  it('is not called before a ban (418) ends', async () => {
    const untilMs = Date.now() + 40 * 60_000;
    const body = { code: -1003, msg: `Way too much request weight used; IP banned until ${untilMs}.` };
    answer(spot, { status: 418, body });
    const warm = source('binance:spot');
    expect(errorOf(await fetchOne(warm))).toMatchObject({ name: 'RateLimitedError', retryAtMs: untilMs });
    const asked = server.asked.length;
    expect(errorOf(await fetchOne(warm))).toMatchObject({ retryAtMs: untilMs });
    expect(server.asked).toHaveLength(asked);
  });

  it('reports that the region is not served', async () => {
    answer(spot, {
      status: 451,
      body: { code: 0, msg: 'Service unavailable from a restricted location' },
    });
    expect(errorOf(await fetchOne(source('binance:spot')))).toMatchObject({
      name: 'RegionBlockedError',
      message: expect.stringContaining('Deploy to another AWS region'),
    });
  });

  it('reports how much weight is used', async () => {
    answer(spot, { headers: { 'X-MBX-USED-WEIGHT-1M': '80' }, body: everything()[spot] });
    await fetchOne(source('binance:spot'));
    expect(traffic.find(({ url }) => url.endsWith(spot))).toMatchObject({
      status: 200,
      limits: { 'x-mbx-used-weight-1m': '80' },
    });
  });

  it('polls one category if the other fails', async () => {
    server.answers.delete('/fapi/v1/ticker/24hr');
    const [spotOutcome, linear] = await fetchAll(source('binance'));
    expect(tickersOf(spotOutcome)).toHaveLength(1);
    expect(linear && errorOf(linear)?.name).toBe('SourceRefusedError');
  });
});
