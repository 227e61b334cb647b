import { beforeEach, describe, expect, it } from 'vitest';
import type { CategoryOutcome, TickerBatch } from '../../../../core/ingest/ports.ts';
import { tickerSchema } from '../../../../core/market/ticker.ts';
import { createCcxtSource } from '../../../../exchanges/ccxt/source.ts';
import { sourceNamed } from '../../../../exchanges/source-config.ts';
import { SLOT } from '../../../samples/tickers.ts';
import { answer, errorOf, fetchAll, fetchOne, serveEachTest, server, traffic } from '../polling.ts';

const TICKERS = '/api/v4/spot/tickers';
const pair = (id: string) => {
  const [base, quote] = id.split('_');
  return { id, base, quote, fee: '0.2', amount_precision: 4, precision: 1, trade_status: 'tradable' };
};
const spotTicker = (given: object = {}) => ({
  currency_pair: 'BTC_USDT',
  last: '60000.5',
  lowest_ask: '60001',
  highest_bid: '60000',
  change_percentage: '-1.23',
  base_volume: '100.5',
  quote_volume: '6030050.25',
  high_24h: '61000',
  low_24h: '59000',
  ...given,
});

/** From Gate's documentation: spot pairs and perpetual futures have separate endpoints. */
const GATE = {
  '/api/v4/spot/currency_pairs': [pair('BTC_USDT'), pair('ETH_BTC')],
  '/api/v4/margin/currency_pairs': [],
  [TICKERS]: [spotTicker()],
  '/api/v4/futures/usdt/contracts': [
    {
      name: 'BTC_USDT',
      type: 'direct',
      quanto_multiplier: '0.0001',
      order_price_round: '0.1',
      order_size_min: 1,
      order_size_max: 1000000,
      leverage_min: '1',
      leverage_max: '100',
      in_delisting: false,
      status: 'trading',
    },
  ],
  '/api/v4/futures/btc/contracts': [],
  '/api/v4/futures/usdt/tickers': [
    {
      contract: 'BTC_USDT',
      last: '60010',
      change_percentage: '1.5',
      volume_24h_base: '10',
      volume_24h_quote: '600000',
      mark_price: '60005',
      index_price: '60001',
    },
  ],
};

serveEachTest();
beforeEach(() => server.serve(GATE));

const source = (name: string) =>
  createCcxtSource(sourceNamed(name), { baseUrl: server.url, onTraffic: (each) => traffic.push(each) });
const batchOf = (outcome: CategoryOutcome | undefined): TickerBatch => {
  if (outcome && 'error' in outcome) throw outcome.error;
  return outcome?.batch ?? { tickers: [], rejected: [] };
};

describe('an exchange through ccxt', () => {
  it('gives tickers in our form: the exchange’s spelling, fractions, no missing values', async () => {
    const [ticker, ...others] = batchOf(await fetchOne(source('ccxt:gate'))).tickers;
    expect(others).toEqual([]);
    expect(tickerSchema.parse(ticker)).toEqual(ticker);
    expect(ticker).toMatchObject({
      exchange: 'gate',
      category: 'spot',
      symbol: 'BTC_USDT',
      base: 'BTC',
      quote: 'USDT',
      slot: SLOT,
      last_price: 60000.5,
      bid_price: 60000,
      ask_price: 60001,
      price_24h_pcnt: -0.0123,
      high_price_24h: 61000,
      low_price_24h: 59000,
      volume_24h: 100.5,
      turnover_24h: 6030050.25,
    });
    expect(ticker).not.toHaveProperty('bid_size');
    expect(ticker?.timestamp).toBe(ticker?.received_at);
  });

  it('polls each category', async () => {
    const [spot, linear] = await fetchAll(source('ccxt:gate:spot,linear'));
    expect(batchOf(spot).tickers).toMatchObject([{ category: 'spot', symbol: 'BTC_USDT' }]);
    expect(batchOf(linear).tickers).toMatchObject([
      { category: 'linear', symbol: 'BTC_USDT', last_price: 60010, mark_price: 60005, index_price: 60001 },
    ]);
  });

  it('polls one category if the other fails', async () => {
    server.answers.delete('/api/v4/futures/usdt/contracts');
    const [spot, linear] = await fetchAll(source('ccxt:gate:spot,linear'));
    expect(batchOf(spot).tickers).toHaveLength(1);
    expect(errorOf(linear)).toMatchObject({
      name: 'SourceRefusedError',
      message: expect.stringContaining('/futures/usdt/contracts answered 404'),
    });
  });

  it('requests the list of markets once, and reports its traffic', async () => {
    const warm = source('ccxt:gate');
    answer(TICKERS, { headers: { 'X-Gate-RateLimit-Limit': '200' }, body: [spotTicker()] });
    await fetchOne(warm);
    await fetchOne(warm);
    const count = (path: string) => server.paths().filter((each) => each.startsWith(path)).length;
    expect([count('/api/v4/spot/currency_pairs'), count(TICKERS)]).toEqual([1, 2]);
    expect(traffic).toHaveLength(server.asked.length);
    expect(traffic.at(-1)).toMatchObject({ status: 200, limits: { 'x-gate-ratelimit-limit': '200' } });
  });

  it.each(['0', '', null])('leaves out a market whose last price is %j', async (last) => {
    answer(TICKERS, { body: [spotTicker({ last }), spotTicker({ currency_pair: 'ETH_BTC', last: '0.05' })] });
    const { tickers, rejected, absent } = batchOf(await fetchOne(source('ccxt:gate')));
    expect(tickers.map(({ symbol }) => symbol)).toEqual(['ETH_BTC']);
    expect([rejected, absent]).toEqual([
      [],
      [{ symbol: 'BTC_USDT', kind: 'untraded', reason: 'it has no price yet' }],
    ]);
  });

  it('rejects a ticker whose market is not listed, because ccxt would guess its spelling', async () => {
    answer(TICKERS, { body: [spotTicker(), spotTicker({ currency_pair: 'NEW_USDT' })] });
    const { tickers, rejected } = batchOf(await fetchOne(source('ccxt:gate')));
    expect(tickers).toHaveLength(1);
    expect(rejected).toMatchObject([
      { reason: expect.stringMatching(/NEW.USDT is not in the exchange's list/) },
    ]);
  });

  it('polls only the wanted markets', async () => {
    answer(TICKERS, { body: [spotTicker(), spotTicker({ currency_pair: 'ETH_BTC', last: '0.05' })] });
    const config = { ...sourceNamed('ccxt:gate'), quote: 'BTC' };
    const outcome = await fetchOne(createCcxtSource(config, { baseUrl: server.url }));
    expect(batchOf(outcome).tickers.map(({ symbol }) => symbol)).toEqual(['ETH_BTC']);
  });

  it('lists the available categories if the wanted one is not', async () => {
    const error = errorOf(await fetchOne(source('ccxt:gate:inverse')));
    expect(error?.message).toMatch(/gate has no inverse markets; it has linear/);
  });

  it('retries after a server error, even for the list of markets', async () => {
    const good = GATE['/api/v4/spot/currency_pairs'];
    answer('/api/v4/spot/currency_pairs', { status: 503, body: 'down' }, { body: good });
    answer(TICKERS, { status: 502, body: '<h1>Bad gateway</h1>' }, { body: [spotTicker()] });
    expect(batchOf(await fetchOne(source('ccxt:gate'))).tickers).toHaveLength(1);
  });

  it('is not called before a rate limit ends, in any category', async () => {
    const headers = { 'retry-after': '600' };
    answer(TICKERS, { status: 429, headers, body: { label: 'TOO_MANY_REQUESTS', message: 'slow down' } });
    const warm = source('ccxt:gate:spot,linear');
    const outcomes = await fetchAll(warm);
    expect(outcomes.map((outcome) => errorOf(outcome)?.name)).toEqual([
      'RateLimitedError',
      'RateLimitedError',
    ]);
    const asked = server.asked.length;
    await fetchAll(warm);
    expect(server.asked).toHaveLength(asked);
  });

  it('reports that the region is not served', async () => {
    answer(TICKERS, { status: 451, body: 'not in your country' });
    expect(errorOf(await fetchOne(source('ccxt:gate')))?.name).toBe('RegionBlockedError');
  });

  it.each(['<html>hello</html>', '{"a":1}', '[1, 2]', 'null', '"x"'])(
    'never throws, whatever the exchange sends: %s',
    async (body) => {
      answer(TICKERS, { body });
      const outcome = await fetchOne(source('ccxt:gate'), Date.now() + 300);
      expect(errorOf(outcome) ?? batchOf(outcome)).toBeDefined();
    },
  );

  it('gives up at the deadline', async () => {
    answer(TICKERS, { status: 503, body: 'down' });
    const deadlineMs = Date.now() + 500;
    expect(errorOf(await fetchOne(source('ccxt:gate'), deadlineMs))?.name).toBe('SourceUnavailableError');
    expect(Date.now()).toBeLessThan(deadlineMs + 20_000);
  });

  it('must be one that ccxt knows', () => {
    expect(() => source('ccxt:mtgox')).toThrow('ccxt has no exchange "mtgox"');
    expect(() => source('ccxt:constructor')).toThrow('ccxt has no exchange');
    expect(() => createCcxtSource(sourceNamed('kraken'))).toThrow('ccxt has no exchange');
  });
});
