import { describe, expect, it } from 'vitest';
import { recordedPayload } from '../../samples/recorded-payloads.ts';
import { answer, errorOf, fetchOne, serveEachTest, server, source, tickersOf } from './polling.ts';

serveEachTest();

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

  it('requests many products together', async () => {
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

  it('requests a few products one by one, with bid, ask and time', async () => {
    server.serve({ '/products': products(30), '/products/stats': all(30), ...each(30) });
    const few = source('coinbase', { symbols: { include: ['C1-*', 'C2-*'] } });
    const tickers = tickersOf(await fetchOne(few));
    expect(tickers.map(({ symbol, bid_price }) => [symbol, bid_price]).sort()).toEqual([
      ['C1-USD', 6265.15],
      ['C2-USD', 6265.15],
    ]);
    expect(server.paths()).toHaveLength(5);
  });

  it('requests many products one by one if it has to, no faster than allowed', async () => {
    server.serve({ '/products': products(21), ...each(21) });
    const startedMs = Date.now();
    expect(tickersOf(await fetchOne(source('coinbase'), startedMs + 20_000))).toHaveLength(21);
    const seconds = ((server.asked.at(-1)?.atMs ?? 0) - (server.asked[0]?.atMs ?? 0)) / 1_000;
    expect((server.asked.length - 5) / seconds).toBeLessThan(9);
  }, 20_000);

  it('makes do with one of the two answers, and rejects a product that has neither', async () => {
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

  it('fails if no product is available, or if the list is not', async () => {
    server.serve({ '/products': products(2) });
    expect(errorOf(await fetchOne(source('coinbase')))?.message).toContain('answered 404');
    server.serve({});
    expect(errorOf(await fetchOne(source('coinbase')))?.message).toContain('/products answered 404');
  });

  it('continues a second after a 429', async () => {
    server.serve({ '/products': products(1), ...each(1) });
    const limited = { status: 429, body: { message: 'Public rate limit exceeded' } };
    answer('/products/C0-USD/ticker', limited, { body: recordedPayload('coinbase-ticker') });
    expect(tickersOf(await fetchOne(source('coinbase')))).toMatchObject([{ bid_price: 6265.15 }]);
  });
});

describe('a poll that runs out of time', () => {
  it('sends no more requests and keeps what came in time', async () => {
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
    const outcome = await fetchOne(source('coinbase'), Date.now() + 3_000);
    expect(tickersOf(outcome).length).toBeGreaterThan(0);
    const reasons = 'batch' in outcome ? outcome.batch.rejected.map(({ reason }) => reason) : [];
    expect(reasons.some((reason) => reason.includes('was not called: this poll ran out of time'))).toBe(true);
    expect(server.asked.length).toBeLessThan(60);
  });
});
