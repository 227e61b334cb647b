import { describe, expect, it } from 'vitest';
import { fieldCase, recordedBybitV5, recordedPayload } from '../../samples/recorded-payloads.ts';
import { answer, errorOf, fetchOne, serveEachTest, server, source, tickersOf } from './polling.ts';

serveEachTest();

function serveCase(name: string): void {
  for (const [path, given] of Object.entries(fieldCase(name))) answer(path, given);
}
const pairs = async (name: string, timeMs?: number) =>
  Object.fromEntries(
    tickersOf(await fetchOne(source(name), timeMs && Date.now() + timeMs)).map((each) => [
      each.symbol,
      `${each.base}/${each.quote}`,
    ]),
  );

describe('quotes that end in another quote', () => {
  it('are told apart by their spelling, or left out, while Kraken’s list of pairs is down', async () => {
    serveCase('kraken-stablecoin-quotes');
    expect(await pairs('kraken', 1_000)).toEqual({
      XXBTZUSD: 'BTC/USD',
      XRPRLUSD: 'XRP/RLUSD',
      XBTPYUSD: 'BTC/PYUSD',
      // MON/AUSD or MONA/USD.
      MONAUSD: 'undefined/undefined',
      USDTZUSD: 'USDT/USD',
      AAPLxUSD: 'AAPLx/USD',
    });
  });

  it('are those of Kraken’s list of pairs', async () => {
    serveCase('kraken-stablecoin-quotes');
    const listed = (wsname: string) => ({ wsname, status: 'online' });
    answer('/0/public/AssetPairs', {
      body: { error: [], result: { MONAUSD: listed('MON/AUSD'), XXBTZUSD: listed('XBT/USD') } },
    });
    expect(await pairs('kraken')).toMatchObject({ MONAUSD: 'MON/AUSD', XXBTZUSD: 'BTC/USD' });
  });

  it('are told apart on Bybit', async () => {
    serveCase('bybit-stablecoin-quotes');
    expect(await pairs('bybit:spot')).toMatchObject({ XRPRLUSD: 'XRP/RLUSD', RLUSDUSDT: 'RLUSD/USDT' });
  });

  it('are those of Bybit’s list of instruments, page by page', async () => {
    serveCase('bybit-stablecoin-quotes');
    const market = (symbol: string, baseCoin: string, quoteCoin: string) => ({
      ...{ symbol, baseCoin, quoteCoin },
      status: 'Trading',
    });
    const page = (list: unknown[], nextPageCursor = '') => ({
      body: { retCode: 0, result: { list, nextPageCursor } },
    });
    const path = '/v5/market/instruments-info?category=spot&limit=1000';
    answer(path, page([market('XRPRLUSD', 'XR', 'PRLUSD')], 'next'));
    answer(`${path}&cursor=next`, page([market('BTCUSDT', 'BT', 'CUSDT')]));
    expect(await pairs('bybit:spot')).toMatchObject({ XRPRLUSD: 'XR/PRLUSD', BTCUSDT: 'BT/CUSDT' });
  });

  it('are those of OKX’s list of instruments', async () => {
    server.serve({
      '/api/v5/market/tickers?instType=SPOT': recordedPayload('okx-tickers'),
      '/api/v5/public/instruments?instType=SPOT': {
        code: '0',
        data: [{ instId: 'ETH-BTC', baseCcy: 'ETHW', quoteCcy: 'BTC', state: 'live' }],
      },
    });
    expect(await pairs('okx:spot')).toEqual({ 'ETH-BTC': 'ETHW/BTC' });
  });
});

describe('markets that are not live', () => {
  const outcomeOf = async (name: string) => {
    const outcome = await fetchOne(source(name));
    if ('error' in outcome) throw outcome.error;
    const { tickers, rejected, absent = [], warning } = outcome.batch;
    return { live: tickers.map(({ symbol }) => symbol), rejected, absent, warning };
  };
  const absentOf = ({ absent }: Awaited<ReturnType<typeof outcomeOf>>) =>
    Object.fromEntries(absent.map(({ symbol, kind, reason }) => [symbol, `${kind}: ${reason}`]));

  it.each([
    [
      'binance:spot',
      'binance-spot-odd-and-ended',
      ['币安人生USDT', '1000SATSUSDT', '1MBABYDOGEUSDT', 'PEPEUSDT', 'SHIBBTC'],
      { BCCBTC: 'BREAK', LUNABUSD: 'BREAK', FTTBUSD: 'BREAK' },
    ],
    [
      'binance:linear',
      'binance-linear-odd-and-ended',
      ['1000000MOGUSDT', '1000SHIBUSDT', '币安人生USDT', 'BTCUSDT_260327'],
      { HNTUSDT: 'SETTLING', TOMOUSDT: 'SETTLING' },
    ],
  ])('are left out of %s, whose odd symbols are kept as spelled', async (name, payloads, live, ended) => {
    serveCase(payloads);
    const outcome = await outcomeOf(name);
    expect(outcome).toMatchObject({ live, rejected: [] });
    expect(absentOf(outcome)).toEqual(
      Object.fromEntries(
        Object.entries(ended).map(([symbol, state]) => [symbol, `ended: its state is ${state}`]),
      ),
    );
  });

  it('are found by the age of their own price if the list of instruments is down', async () => {
    serveCase('binance-linear-odd-and-ended');
    answer('/fapi/v1/exchangeInfo', { status: 404, body: 'moved' });
    const outcome = await outcomeOf('binance:linear');
    expect(outcome.live).toHaveLength(4);
    // The recorded answer is old as a whole, which is said but ends nothing.
    expect(outcome.warning).toBe('even the newest price is from 2025-10-09T08:53:20.000Z');
    expect(absentOf(outcome)).toMatchObject({ HNTUSDT: 'stale: its price is from 2023-10-11T04:53:20.000Z' });
  });

  it('are left out of Coinbase’s many products', async () => {
    serveCase('coinbase-delisted');
    const outcome = await outcomeOf('coinbase');
    expect(outcome.live).toHaveLength(24);
    expect(absentOf(outcome)).toEqual({
      'REP-USD': 'ended: its state is delisted',
      'WLUNA-USD': 'ended: its state is delisted',
    });
  });

  it('are left out of its few products, which are then not asked for', async () => {
    server.serve({
      '/products': [
        { id: 'REP-USD', status: 'delisted' },
        { id: 'OFF-USD', status: 'online', trading_disabled: true },
        { id: 'BTC-USD', status: 'online', trading_disabled: false },
      ],
      '/products/BTC-USD/ticker': recordedPayload('coinbase-ticker'),
      '/products/BTC-USD/stats': recordedPayload('coinbase-stats'),
    });
    const outcome = await outcomeOf('coinbase');
    expect(outcome.live).toEqual(['BTC-USD']);
    expect(Object.keys(absentOf(outcome))).toEqual(['REP-USD', 'OFF-USD']);
    expect(server.paths().filter((path) => path.includes('REP'))).toEqual([]);
  });

  it('are not rejected while they are not open yet: OKX, Bybit', async () => {
    const okx = recordedPayload<{ data: Record<string, unknown>[] }>('okx-tickers');
    okx.data.push({ ...okx.data[0], instId: 'NEW-USDT', last: '', ts: '' });
    const bybit = recordedBybitV5('linear');
    const [ticker] = bybit.result.list as Record<string, unknown>[];
    bybit.result.list.push({ ...ticker, symbol: 'NEWUSDT', curPreListingPhase: 'CallAuction' });
    server.serve({
      '/api/v5/market/tickers?instType=SPOT': okx,
      '/v5/market/tickers?category=linear': bybit,
    });
    const [ofOkx, ofBybit] = [await outcomeOf('okx:spot'), await outcomeOf('bybit:linear')];
    expect([ofOkx.rejected, ofBybit.rejected]).toEqual([[], []]);
    expect(absentOf(ofOkx)).toEqual({ 'NEW-USDT': 'untraded: it has no price yet' });
    expect(absentOf(ofBybit)).toEqual({ NEWUSDT: 'untraded: it is not listed yet (CallAuction)' });
  });

  it('do not take the whole exchange with them when it renames its states', async () => {
    serveCase('binance-spot-odd-and-ended');
    const { body, ...rest } = fieldCase('binance-spot-odd-and-ended')['/api/v3/exchangeInfo'] ?? { body: {} };
    const renamed = JSON.stringify(body).replaceAll('TRADING', 'ACTIVE');
    answer('/api/v3/exchangeInfo', { ...rest, body: renamed });
    const outcome = await outcomeOf('binance:spot');
    expect(outcome.live).toHaveLength(5);
    expect(outcome.absent).toHaveLength(3);
    expect(outcome.warning).toContain('unknown state, ACTIVE');
  });
});

describe('a refusal', () => {
  const page = (text: string) =>
    `<!DOCTYPE html><html><head><title>x</title></head><body>${text}</body></html>`;

  it('of Binance’s firewall is a limit, which names the network and is waited for', async () => {
    serveCase('binance-firewall');
    const warm = source('binance:spot');
    const error = errorOf(await fetchOne(warm));
    expect(error).toMatchObject({ name: 'RateLimitedError', message: expect.stringContaining('CloudFront') });
    expect((error?.retryAtMs ?? 0) - Date.now()).toBeGreaterThan(290_000);
    const asked = server.asked.length;
    await fetchOne(warm);
    expect(server.asked).toHaveLength(asked);
  });

  it.each([
    [
      'a block',
      403,
      {},
      page('Sorry, you have been blocked. Cloudflare Ray ID: 1'),
      'RateLimitedError',
      'Cloudflare',
    ],
    [
      'a challenge',
      200,
      { server: 'cloudflare', 'cf-ray': '1' },
      page('Just a moment...'),
      'RateLimitedError',
      'Cloudflare',
    ],
    ['a limit', 429, { 'retry-after': '77' }, 'error code: 1015', 'RateLimitedError', 'Cloudflare'],
    [
      'a country',
      403,
      {},
      page('The Amazon CloudFront distribution is configured to block access from your country.'),
      'RegionBlockedError',
      'CloudFront',
    ],
    [
      'a country',
      403,
      { 'cf-ray': '1' },
      page('Error 1009: the owner has banned the country or region'),
      'RegionBlockedError',
      'Cloudflare',
    ],
    [
      'a rule',
      400,
      {},
      page('Access Denied. Reference&#32;&#35;18.1 errors.edgesuite.net'),
      'RateLimitedError',
      'Akamai',
    ],
  ])(
    'by a page of a network, about %s with status %i, names it: %#',
    async (_, status, headers, body, name, cdn) => {
      for (const exchange of ['kraken', 'okx:spot', 'binance:spot', 'bybit:spot']) {
        server.serve({});
        for (const path of [
          '/0/public/Ticker',
          '/api/v5/market/tickers',
          '/api/v3/ticker/24hr',
          '/v5/market/tickers',
        ]) {
          answer(path, { status, headers, body });
        }
        const error = errorOf(await fetchOne(source(exchange), Date.now() + 300));
        expect(error).toMatchObject({ name, message: expect.stringContaining(cdn) });
        expect(error?.message).not.toContain('<');
        if ('retry-after' in headers) expect((error?.retryAtMs ?? 0) - Date.now()).toBeGreaterThan(75_000);
      }
    },
  );

  it.each([
    ['kraken', '/0/public/Ticker', { error: ['EDatabase:Internal error'] }],
    ['kraken', '/0/public/Ticker', { error: ['EService:Deadline elapsed'] }],
    ['bybit:spot', '/v5/market/tickers', { retCode: 10016, retMsg: 'Internal System Error.', result: {} }],
    ['bybit:spot', '/v5/market/tickers', { retCode: '99999', retMsg: 'System is busy, try again later' }],
    [
      'okx:spot',
      '/api/v5/market/tickers',
      { code: '50001', data: [], msg: 'Service temporarily unavailable' },
    ],
    ['okx:spot', '/api/v5/market/tickers', { code: 50001, data: [], msg: null }],
    ['binance:spot', '/api/v3/ticker/24hr', { code: -1008, msg: 'Server is currently overloaded' }],
  ])('of %s that passes is asked again within the poll: %s %j', async (name, path, body) => {
    answer(path, { body });
    expect(errorOf(await fetchOne(source(name), Date.now() + 1_000))?.name).toBe('SourceUnavailableError');
    expect(server.paths().filter((each) => each.startsWith(path)).length).toBeGreaterThan(1);
  });

  it('that says when to come back is not called before', async () => {
    answer('/0/public/Ticker', { status: 503, headers: { 'retry-after': '60' }, body: 'maintenance' });
    await fetchOne(source('kraken'));
    expect(server.paths().filter((each) => each === '/0/public/Ticker')).toHaveLength(1);
  });
});
