import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command } from '../../../../cli/commands/probe.ts';
import { namedSource } from '../../../../cli/source-option.ts';
import { runHere } from '../../../run-here.ts';
import { recordedPayload } from '../../../samples/recorded-payloads.ts';
import { ExchangeServer } from '../../exchanges/exchange-server.ts';

const server = new ExchangeServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

const probe = (...args: string[]) => runHere(command, ...args);

describe('naming a source on the command line', () => {
  it('takes a name, its categories and a URL', () => {
    expect(namedSource('okx')).toMatchObject({ config: { name: 'okx' }, url: undefined });
    expect(namedSource('okx:linear=http://127.0.0.1:8080/x=y/')).toMatchObject({
      config: { name: 'okx', categories: ['linear'] },
      url: 'http://127.0.0.1:8080/x=y',
    });
    expect(namedSource('ccxt:gate=http://127.0.0.1:1').config.api).toBe('ccxt:gate');
  });

  it.each(['mtgox', 'okx=nowhere', 'okx='])('says what is wrong with %j', (text) => {
    expect(() => namedSource(text)).toThrow(/There is no source|expected a URL/);
  });
});

describe('npm run probe', () => {
  it('shows what a source answers', async () => {
    const ticker = recordedPayload<{ result: Record<string, unknown> }>('kraken-ticker');
    ticker.result.BADUSD = { ...(ticker.result.XXBTZUSD as object), c: ['much', '0'] };
    ticker.result.NEWUSD = { ...(ticker.result.XXBTZUSD as object), c: ['0', '0'] };
    ticker.result.DEADUSD = { ...(ticker.result.XXBTZUSD as object) };
    const pairs = recordedPayload<{ result: Record<string, unknown> }>('kraken-asset-pairs');
    pairs.result.DEADUSD = { wsname: 'DEAD/USD', status: 'cancel_only' };
    server.serve({
      '/0/public/Ticker': ticker,
      '/0/public/AssetPairs': pairs,
    });
    const { code, stdout } = await probe(`kraken=${server.url}`);
    expect(stdout).toContain('from here: fine.');
    expect(stdout).toContain('✔ spot: fine: 1 tickers live, 1 ended, 1 not traded yet, 1 rejected');
    expect(stdout).toContain('not live 1 ×: its state is cancel_only, e.g. DEADUSD');
    expect(stdout).toMatch(/XXBTZUSD +BTC\/USD +3,809.6 +–/);
    expect(stdout).toContain('rejected 1 ×: c[0]: expected a decimal number, got "much"');
    expect(stdout).toContain('Requests: 2 (2 × 200)');
    expect(code).toBe(0);
  });

  it('prints the same as JSON, only for the selected markets', async () => {
    server.serve({ '/api/v5/market/tickers?instType=SWAP': recordedPayload('okx-tickers-swap') });
    const { code, stdout } = await probe(`okx:linear,inverse=${server.url}`, '--quote', 'USDT', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      source: { name: 'okx', quote: ['USDT'] },
      categories: [
        { category: 'linear', tickers: 1, rejected: 0, sample: [{ symbol: 'BTC-USDT-SWAP' }], reasons: [] },
        { category: 'inverse', tickers: 0, rejected: 0 },
      ],
      requests: { count: 2, byStatus: { 200: 1, 404: 1 }, limits: {} },
    });
    expect(code).toBe(1);
  });

  it.each([
    [403, 'region-blocked', 'blocked in your country'],
    [429, 'limited', 'slow down'],
  ])('says of status %i that the source is %s', async (status, verdict, body) => {
    server.serve({});
    server.answers.set('/v5/market/tickers', [{ status, headers: { 'retry-after': '60' }, body }]);
    const { code, stdout } = await probe(`bybit:spot=${server.url}`);
    expect(stdout).toContain(`from here: ${verdict}.`);
    expect(stdout).toContain(`✖ spot: ${verdict}`);
    expect(code).toBe(1);
  });

  it('says why there are no tickers', async () => {
    server.serve({});
    const { code, stdout } = await probe(`kraken=${server.url}`);
    expect(stdout).toMatch(/✖ spot: http:\S+\/0\/public\/Ticker answered 404/);
    expect(code).toBe(1);
  });

  it.each([
    ['kraken', '/0/public/Ticker'],
    ['ccxt:gate', '/api/v4/spot/currency_pairs'],
    ['ccxt:kucoin', '/api/v2/symbols'],
  ])('rejects an HTML page as the response of %s', async (name, path) => {
    const page = '<html><body>Access denied by your proxy</body></html>';
    for (const each of [path, '/api/v4/margin/currency_pairs', '/api/v1/market/allTickers']) {
      server.answers.set(each, [{ headers: { 'content-type': 'text/html' }, body: page }]);
    }
    const { code, stdout } = await probe(`${name}=${server.url}`, '--timeout', '4');
    expect(stdout).toMatch(/✖ spot: \w+: the answer of http\S+ is not JSON \(53 bytes, starting "<html>/);
    expect(code).toBe(1);
  });

  it.each(['kraken', 'ccxt:gate'])('says that %s does not answer', async (name) => {
    const gone = new ExchangeServer();
    await gone.start();
    const { url } = gone;
    await gone.stop();
    const { code, stdout, stderr } = await probe(`${name}=${url}`, '--timeout', '2');
    expect(stderr).toMatch(/….*ECONNREFUSED.*; trying again/);
    expect(stdout).toMatch(/✖ spot: .*ECONNREFUSED/);
    expect(stdout).toMatch(/Requests: \d+ \(\d+ × no answer\)/);
    expect(code).toBe(1);
  });

  it('shows rate limits and pace of an exchange of ccxt, too', async () => {
    server.serve({
      '/api/v4/spot/currency_pairs': [
        { id: 'BTC_USDT', base: 'BTC', quote: 'USDT', trade_status: 'tradable' },
      ],
      '/api/v4/margin/currency_pairs': [],
    });
    const headers = { 'X-Gate-RateLimit-Requests-Remain': '199', 'X-Gate-RateLimit-Limit': '200' };
    server.answers.set('/api/v4/spot/tickers', [
      { headers, body: [{ currency_pair: 'BTC_USDT', last: '1' }] },
    ]);
    const { code, stdout } = await probe(`ccxt:gate=${server.url}`);
    expect(stdout).toContain('x-gate-ratelimit-requests-remain: 199');
    expect(stdout).toContain('Pace: one request after the other, 20 a second on average.');
    expect(code).toBe(0);
  });

  it('lists the known sources', async () => {
    const { code, stderr } = await probe('mtgox');
    expect(stderr).toContain('There is no source "mtgox". Choose bybit,');
    expect(code).not.toBe(0);
    expect((await probe('ccxt:mtgox')).stderr).toContain('ccxt has no exchange "mtgox". It lists them at');
  });
});
