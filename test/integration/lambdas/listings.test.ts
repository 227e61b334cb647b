import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ExchangeServer } from '../../unit/exchanges/exchange-server.ts';
import { clearSummaries, clearTickers, freshBucket, freshTopic, openSearch } from '../services.ts';
import { startIndex, startIngest, startInsights, startOperate, startSetup } from './handlers.ts';
import { eventOf, keysOf, linesOf, readTopic } from './stores.ts';

const server = new ExchangeServer();
beforeEach(async () => {
  await Promise.all([server.start(), clearTickers(), clearSummaries()]);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all([server.stop(), clearTickers(), clearSummaries()]);
});

/** The exchange's markets by symbol, with their states. */
function serveMarkets(states: Record<string, string>, at: string): void {
  const markets = Object.entries(states);
  const list = markets.map(([symbol]) => ({ symbol, lastPrice: '1' }));
  const instruments = markets.map(([symbol, status]) => ({ symbol, status, baseCoin: 'A', quoteCoin: 'B' }));
  server.serve({
    '/v5/market/tickers': { retCode: 0, result: { category: 'spot', list }, time: Date.parse(at) },
    '/v5/market/instruments-info': { retCode: 0, result: { list: instruments } },
  });
}

it('markets that come and go are noticed, kept in the lake, and told by "series"', async () => {
  const [bucket, topic] = await Promise.all([freshBucket(), freshTopic(1)]);
  await (await startSetup())('Create');
  const start = () => startIngest({ source: { url: server.url, categories: ['spot'] }, bucket, topic });
  const nowMs = Date.now();
  const [before, after] = [nowMs - 120_000, nowMs].map((ms) => new Date(ms).toISOString()) as [
    string,
    string,
  ];
  serveMarkets({ OLD: 'Trading', BTCUSDT: 'Trading' }, before);
  await (await start())(before);
  expect(await keysOf(bucket, 'state/listings/')).toEqual([]);
  serveMarkets({ OLD: 'Closed', BTCUSDT: 'Trading', NEW: 'Trading' }, after);
  // Another instance of the function, which remembers nothing.
  await (await start())(after);
  const kept = (await linesOf(bucket, 'state/listings/')).map((line) => JSON.parse(line));
  expect(kept).toMatchObject([
    { exchange: 'bybit', category: 'spot', symbol: 'NEW', event: 'listed', at: after },
    { symbol: 'OLD', event: 'ended', at: after, reason: 'its state is Closed' },
  ]);

  await (await startIndex({ bucket }))(eventOf(await readTopic(topic)));
  const operate = await startOperate({ bucket, topic });
  for (let runs = 0; runs < 2; runs += 1) await operate('heal');
  await openSearch.indices.refresh({ index: '*', expand_wildcards: ['open', 'hidden'] });
  const ask = await startInsights();
  const response = await ask({ question: 'series', exchange: 'bybit' });
  expect(response).toMatchObject({
    kind: 'answer',
    answer: {
      series: [
        { series: 'bybit:spot:BTCUSDT', ended: false },
        { series: 'bybit:spot:NEW', listed: after, ended: false },
        { series: 'bybit:spot:OLD', delisted: after, ended: true },
      ],
    },
  });
  expect(JSON.stringify(response)).not.toMatch(/"bybit:spot:BTCUSDT"[^}]*listed/);
});
