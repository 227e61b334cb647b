import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CategoryOutcome, TickerSource } from '../../../core/ingest/ports.ts';
import type { Traffic } from '../../../exchanges/http/client.ts';
import { createSource } from '../../../exchanges/http/ticker-source.ts';
import { type SourceConfig, sourceNamed } from '../../../exchanges/source-config.ts';
import { recordedPayload } from '../../samples/recorded-payloads.ts';
import { SLOT } from '../../samples/tickers.ts';
import { ExchangeServer } from './exchange-server.ts';

let server: ExchangeServer;
let traffic: Traffic[];
beforeEach(async () => {
  server = new ExchangeServer();
  traffic = [];
  await server.start();
});
afterEach(() => server.stop());

const source = (name: string, given: Partial<SourceConfig> = {}) =>
  createSource(
    { ...sourceNamed(name), ...given },
    { baseUrl: server.url, onTraffic: (each) => traffic.push(each) },
  );
const fetchAll = (from: TickerSource, deadlineMs = Date.now() + 5_000, categories = from.categories) =>
  from.fetch(categories, { slot: SLOT, deadlineMs });
async function fetchOne(from: TickerSource, deadlineMs?: number): Promise<CategoryOutcome> {
  const [outcome] = await fetchAll(from, deadlineMs, from.categories.slice(0, 1));
  if (!outcome) throw new Error('no outcome');
  return outcome;
}
const tickersOf = (outcome: CategoryOutcome | undefined) => {
  if (outcome && 'error' in outcome) throw outcome.error;
  return outcome?.batch.tickers ?? [];
};
const errorOf = (outcome: CategoryOutcome) => ('error' in outcome ? outcome.error : undefined);
const answer = (
  path: string,
  ...answers: { status?: number; headers?: Record<string, string>; body: unknown }[]
) => server.answers.set(path, answers);

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

  it('asks for its instruments once, for the tickers at each poll', async () => {
    const warm = source('binance');
    await fetchAll(warm);
    await fetchAll(warm);
    const count = (path: string) => server.paths().filter((each) => each.startsWith(path)).length;
    expect(count('/api/v3/exchangeInfo')).toBe(1);
    expect(count('/fapi/v1/exchangeInfo')).toBe(1);
    expect(count(spot)).toBe(2);
    expect(count('/fapi/v1/premiumIndex')).toBe(2);
  });

  it('splits the symbol itself where it cannot have the instruments, and asks for them again next time', async () => {
    answer(
      '/api/v3/exchangeInfo',
      { status: 503, body: 'later' },
      { body: everything()['/api/v3/exchangeInfo'] },
    );
    const warm = source('binance:spot');
    expect(tickersOf(await fetchOne(warm))).toMatchObject([{ base: 'BNB', quote: 'BTC' }]);
    expect(server.paths()).toHaveLength(2);
    await fetchOne(warm);
    await fetchOne(warm);
    expect(server.paths().filter((path) => path.startsWith('/api/v3/exchangeInfo'))).toHaveLength(2);
  });

  it('does without mark prices where it cannot have them', async () => {
    server.answers.delete('/fapi/v1/premiumIndex');
    const [ticker] = tickersOf(await fetchOne(source('binance:linear')));
    expect(ticker).toMatchObject({ symbol: 'BTCUSDT', price_24h_pcnt: -0.9596 });
    expect(ticker).not.toHaveProperty('mark_price');
  });

  it('leaves out what is not traded any more', async () => {
    const info = recordedPayload<{ symbols: { symbol: string; status: string }[] }>('binance-exchange-info');
    for (const each of info.symbols) each.status = 'BREAK';
    answer('/api/v3/exchangeInfo', { body: info });
    expect(await fetchOne(source('binance:spot'))).toMatchObject({ batch: { tickers: [], rejected: [] } });
  });

  it('reads the instruments beside one that it does not understand', async () => {
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

  it('is banned (418) until the time it is told, for every host it has', async () => {
    const untilMs = Date.now() + 40 * 60_000;
    const body = { code: -1003, msg: `Way too much request weight used; IP banned until ${untilMs}.` };
    answer(spot, { status: 418, body });
    const warm = source('binance:spot');
    expect(errorOf(await fetchOne(warm))).toMatchObject({ name: 'RateLimitedError', retryAtMs: untilMs });
    const asked = server.asked.length;
    expect(errorOf(await fetchOne(warm))).toMatchObject({ retryAtMs: untilMs });
    expect(server.asked).toHaveLength(asked);
  });

  it('says that a region is not served', async () => {
    answer(spot, {
      status: 451,
      body: { code: 0, msg: 'Service unavailable from a restricted location' },
    });
    expect(errorOf(await fetchOne(source('binance:spot')))).toMatchObject({
      name: 'RegionBlockedError',
      message: expect.stringContaining('Deploy to another AWS region'),
    });
  });

  it('tells how much weight is used', async () => {
    answer(spot, { headers: { 'X-MBX-USED-WEIGHT-1M': '80' }, body: everything()[spot] });
    await fetchOne(source('binance:spot'));
    expect(traffic.find(({ url }) => url.endsWith(spot))).toMatchObject({
      status: 200,
      limits: { 'x-mbx-used-weight-1m': '80' },
    });
  });

  it('goes on with one category where the other fails', async () => {
    server.answers.delete('/fapi/v1/ticker/24hr');
    const [spotOutcome, linear] = await fetchAll(source('binance'));
    expect(tickersOf(spotOutcome)).toHaveLength(1);
    expect(linear && errorOf(linear)?.name).toBe('SourceRefusedError');
  });
});

describe('OKX', () => {
  const swaps = '/api/v5/market/tickers?instType=SWAP';
  beforeEach(() =>
    server.serve({
      '/api/v5/market/tickers?instType=SPOT': recordedPayload('okx-tickers'),
      [swaps]: recordedPayload('okx-tickers-swap'),
    }),
  );

  it('asks once for linear and inverse swaps', async () => {
    const outcomes = await fetchAll(source('okx'));
    expect(outcomes.map((outcome) => tickersOf(outcome).map(({ symbol }) => symbol))).toEqual([
      ['ETH-BTC'],
      ['BTC-USDT-SWAP'],
      ['LTC-USD-SWAP'],
    ]);
    expect(server.paths().sort()).toEqual(['/api/v5/market/tickers?instType=SPOT', swaps]);
  });

  it.each([200, 429])('waits after code 50011 (status %d)', async (status) => {
    const good = recordedPayload('okx-tickers-swap');
    answer(swaps, { status, body: { code: '50011', msg: 'Too Many Requests', data: [] } }, { body: good });
    expect(errorOf(await fetchOne(source('okx:linear'), Date.now() + 500))?.name).toBe('RateLimitedError');
  });

  it.each(['50001', '50013', '50026'])('asks again after code %s', async (code) => {
    const good = recordedPayload('okx-tickers-swap');
    answer(swaps, { body: { code, msg: 'busy', data: [] } }, { body: good });
    expect(tickersOf(await fetchOne(source('okx:linear')))).toHaveLength(1);
  });

  it('takes any other code for a no', async () => {
    answer(swaps, { status: 400, body: { code: '51000', msg: 'Parameter instType error' } });
    expect(errorOf(await fetchOne(source('okx:linear')))).toMatchObject({ name: 'SourceRefusedError' });
    answer(swaps, { body: { code: '51000', msg: 'Parameter instType error', data: [] } });
    expect(errorOf(await fetchOne(source('okx:linear')))?.message).toContain('code 51000: Parameter');
  });

  it('takes USD-margined swaps for linear, and rejects a swap without a name once', async () => {
    const payload = recordedPayload<{ data: Record<string, unknown>[] }>('okx-tickers-swap');
    payload.data = [
      { ...payload.data[0], instId: 'BTC-USD_UM-SWAP' },
      { ...payload.data[0], instId: undefined },
    ];
    answer(swaps, { body: payload });
    const [linear, inverse] = await fetchAll(source('okx:linear,inverse'));
    expect(tickersOf(linear)).toMatchObject([{ base: 'BTC', quote: 'USD', category: 'linear' }]);
    expect(linear && 'batch' in linear && linear.batch.rejected).toHaveLength(1);
    expect(inverse).toMatchObject({ batch: { tickers: [], rejected: [] } });
  });
});

describe('Kraken', () => {
  const path = '/0/public/Ticker';
  const good = () => recordedPayload('kraken-ticker');
  beforeEach(() =>
    server.serve({ [path]: good(), '/0/public/AssetPairs': recordedPayload('kraken-asset-pairs') }),
  );

  it('splits the pair itself where the list of pairs does not tell', async () => {
    const [entry] = Object.values(recordedPayload<{ result: object }>('kraken-ticker').result);
    const symbols = ['XXBTZUSD', 'XETHXXBT', 'ADAUSD', 'XDGUSD', 'SOLUSDT', 'WHAT'];
    answer(path, { body: { error: [], result: Object.fromEntries(symbols.map((each) => [each, entry])) } });
    server.answers.delete('/0/public/AssetPairs');
    const pairs = tickersOf(await fetchOne(source('kraken'))).map(({ base, quote }) => `${base}/${quote}`);
    expect(pairs).toEqual(['BTC/USD', 'ETH/BTC', 'ADA/USD', 'DOGE/USD', 'SOL/USDT', 'undefined/undefined']);
  });

  it.each(['EAPI:Rate limit exceeded', 'EGeneral:Too many requests', 'EService:Throttled: 9999999999'])(
    'does not ask again soon after "%s"',
    async (error) => {
      answer(path, { body: { error: [error] } });
      const warm = source('kraken');
      expect(errorOf(await fetchOne(warm, Date.now() + 1_000))).toMatchObject({ name: 'RateLimitedError' });
      expect(server.paths().filter((each) => each === path)).toHaveLength(1);
    },
  );

  it.each(['EService:Unavailable', 'EService:Busy', 'EGeneral:Internal error'])(
    'asks again after "%s"',
    async (error) => {
      answer(path, { body: { error: [error] } }, { body: good() });
      expect(tickersOf(await fetchOne(source('kraken')))).toHaveLength(1);
    },
  );

  it('takes any other error for a no, and a warning for nothing', async () => {
    answer(path, { body: { error: ['EQuery:Unknown asset pair'] } });
    expect(errorOf(await fetchOne(source('kraken')))).toMatchObject({
      name: 'SourceRefusedError',
      message: expect.stringContaining('EQuery:Unknown asset pair'),
    });
    answer(path, { body: { ...(good() as object), error: ['WGeneral:Danger'] } });
    expect(tickersOf(await fetchOne(source('kraken')))).toHaveLength(1);
  });

  it('rejects a pair whose arrays are none', async () => {
    answer(path, { body: { error: [], result: { A: null, B: { c: 5 }, C: { c: ['1', '2'] } } } });
    const outcome = await fetchOne(source('kraken'));
    expect(tickersOf(outcome)).toMatchObject([{ symbol: 'C', last_price: 1 }]);
    expect('batch' in outcome && outcome.batch.rejected.map(({ reason, value }) => [reason, value])).toEqual([
      ['expected an object, got null', { A: null }],
      ['c[0]: a price above 0 is required, got nothing', { B: { c: 5 } }],
    ]);
  });
});

describe('Coinbase Exchange', () => {
  const products = (count: number) =>
    Array.from({ length: count }, (_, position) => ({
      id: `C${position}-USD`,
      base_currency: `C${position}`,
      quote_currency: position === 0 ? 'EUR' : 'USD',
      status: 'online',
    }));
  const all = (count: number) =>
    Object.fromEntries(
      products(count).map(({ id }) => [
        id,
        { stats_30day: { volume: '1' }, stats_24hour: recordedPayload('coinbase-stats') },
      ]),
    );
  const each = (count: number) =>
    Object.fromEntries(
      products(count).flatMap(({ id }) => [
        [`/products/${id}/ticker`, recordedPayload('coinbase-ticker')],
        [`/products/${id}/stats`, recordedPayload('coinbase-stats')],
      ]),
    );

  it('asks for many products at once', async () => {
    server.serve({ '/products': products(30), '/products/stats': all(30) });
    const tickers = tickersOf(await fetchOne(source('coinbase')));
    expect(tickers).toHaveLength(30);
    expect(tickers[1]).toMatchObject({
      symbol: 'C1-USD',
      base: 'C1',
      quote: 'USD',
      last_price: 6250.02,
      price_24h_pcnt: 6250.02 / 5414.18 - 1,
    });
    expect(server.paths()).toEqual(['/products', '/products/stats']);
  });

  it('asks for few products one by one, which tells bid, ask and time, too', async () => {
    server.serve({ '/products': products(30), '/products/stats': all(30), ...each(30) });
    const few = source('coinbase', { symbols: { include: ['C1-*', 'C2-*'] } });
    const tickers = tickersOf(await fetchOne(few));
    expect(tickers.map(({ symbol, bid_price }) => [symbol, bid_price]).sort()).toEqual([
      ['C1-USD', 6265.15],
      ['C2-USD', 6265.15],
    ]);
    expect(server.paths()).toHaveLength(5);
  });

  it('asks for many products one by one where it has to, no faster than allowed', async () => {
    server.serve({ '/products': products(21), ...each(21) });
    const startedMs = Date.now();
    expect(tickersOf(await fetchOne(source('coinbase'), startedMs + 20_000))).toHaveLength(21);
    const seconds = ((server.asked.at(-1)?.atMs ?? 0) - (server.asked[0]?.atMs ?? 0)) / 1_000;
    expect((server.asked.length - 5) / seconds).toBeLessThan(9);
  }, 20_000);

  it('takes what one of the two answers tells, and rejects a product that has neither', async () => {
    server.serve({ '/products': products(4), ...each(2) });
    server.answers.delete('/products/C0-USD/ticker');
    server.answers.delete('/products/C1-USD/stats');
    const outcome = await fetchOne(source('coinbase'));
    const known = tickersOf(outcome).map((ticker) => [
      ticker.symbol,
      ticker.last_price,
      ticker.price_24h_pcnt,
    ]);
    expect(known.sort()).toEqual([
      ['C0-USD', 6250.02, 6250.02 / 5414.18 - 1],
      ['C1-USD', 6268.48, undefined],
    ]);
    const rejected = 'batch' in outcome ? outcome.batch.rejected : [];
    expect(rejected.map(({ value, reason }) => [value, reason.includes('answered 404')])).toEqual([
      [{ id: 'C2-USD' }, true],
      [{ id: 'C3-USD' }, true],
    ]);
  });

  it('fails where no product can be had, and where the list cannot', async () => {
    server.serve({ '/products': products(2) });
    expect(errorOf(await fetchOne(source('coinbase')))?.message).toContain('answered 404');
    server.serve({});
    expect(errorOf(await fetchOne(source('coinbase')))?.message).toContain('/products answered 404');
  });

  it('waits a second after 429 and goes on', async () => {
    server.serve({ '/products': products(1), ...each(1) });
    const limited = { status: 429, body: { message: 'Public rate limit exceeded' } };
    answer('/products/C0-USD/ticker', limited, { body: recordedPayload('coinbase-ticker') });
    expect(tickersOf(await fetchOne(source('coinbase')))).toMatchObject([{ bid_price: 6265.15 }]);
  });
});

describe('requests', () => {
  it('that find the time over are not sent, and what came in time is kept', async () => {
    const list = Array.from({ length: 60 }, (_, position) => ({
      id: `C${position}-USD`,
      quote_currency: 'USD',
    }));
    server.serve({
      '/products': list,
      ...Object.fromEntries(
        list.map(({ id }) => [`/products/${id}/stats`, recordedPayload('coinbase-stats')]),
      ),
    });
    const outcome = await fetchOne(source('coinbase'), Date.now() + 1_500);
    expect(tickersOf(outcome).length).toBeGreaterThan(0);
    const reasons = 'batch' in outcome ? outcome.batch.rejected.map(({ reason }) => reason) : [];
    expect(reasons.some((reason) => reason.includes('was not called: this poll ran out of time'))).toBe(true);
    expect(server.asked.length).toBeLessThan(60);
  });
});
