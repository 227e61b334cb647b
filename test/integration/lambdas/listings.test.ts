import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HOUR_MS, hourOf, MINUTE_MS } from '../../../core/market/time.ts';
import type { GapsOutput } from '../../../core/operate/gaps/gaps.ts';
import { ExchangeServer } from '../../unit/exchanges/exchange-server.ts';
import { clearSummaries, clearTickers, freshBucket, freshTopic, openSearch } from '../services.ts';
import {
  startIndex,
  startIngest,
  startInsights,
  startOperate,
  startSetup,
  startSummarise,
} from './handlers.ts';
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

it('markets that appear and end are noticed, kept in the lake, and reported by "series"', async () => {
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

/** Serves an hourly candle for each of these hours, whatever the symbol. */
function serveCandles(hours: readonly number[]): void {
  server.routes.set('/v5/market/kline', (query) => {
    const [category, symbol] = [query.get('category'), query.get('symbol')];
    const [start, end] = [Number(query.get('start')), Number(query.get('end'))];
    const list = hours
      .filter((startMs) => startMs >= start && startMs <= end)
      .map((startMs) => [String(startMs), '2', '3', '1', '2', '1', '2'])
      .toReversed();
    return { body: { retCode: 0, retMsg: 'OK', result: { category, symbol, list }, time: 1 } };
  });
}

it('holes in the data are distinguished, and filled with the exchange’s own candles, once', async () => {
  const [bucket, topic] = await Promise.all([freshBucket(), freshTopic(1)]);
  await (await startSetup())('Create');
  const nowMs = hourOf(Date.now());
  const at = (hour: number, minute = 0) =>
    new Date(nowMs + (hour - 9) * HOUR_MS + minute * MINUTE_MS).toISOString();
  const poll = await startIngest({ source: { url: server.url, categories: ['spot'] }, bucket, topic });
  const pollHour = async (hour: number, symbols: readonly string[], minutes = [0, 15]) => {
    for (const minute of minutes) {
      serveMarkets(Object.fromEntries(symbols.map((symbol) => [symbol, 'Trading'])), at(hour, minute));
      await poll(at(hour, minute));
    }
  };
  await pollHour(0, ['BTCUSDT']);
  await pollHour(1, ['BTCUSDT']);
  for (const [hour, answer] of [
    [2, { status: 503, body: 'maintenance' }],
    [3, { body: '<html>' }],
  ] as const) {
    server.answers.set('/v5/market/tickers', [answer]);
    for (const minute of [0, 15])
      await expect(poll(at(hour, minute), 2_000)).rejects.toThrow('could not be polled');
  }
  await pollHour(4, ['BTCUSDT', 'ETHUSDT']);
  // Nobody polls in hours 5 and 6.
  await pollHour(7, ['BTCUSDT', 'ETHUSDT'], [30]);
  await pollHour(8, ['BTCUSDT', 'ETHUSDT']);
  await (await startIndex({ bucket }))(eventOf(await readTopic(topic)));
  const samplingIntervals = { 'bybit:spot': 15 * MINUTE_MS };
  const sampling = { SAMPLING_INTERVALS: JSON.stringify(samplingIntervals) };
  await (await startSummarise(sampling))(at(9));
  const operate = await startOperate({ bucket, topic, samplingIntervals });
  const gaps = async (input: object = {}) => {
    const [output] = await operate<GapsOutput>('gaps', { from: at(0), baseUrl: server.url, ...input });
    const entries = output?.entries.map(({ series, from, to, state, reason, asked, origin }) => {
      const [fromHour, toHour] = [from, to].map((time) => 9 + (Date.parse(time) - nowMs) / HOUR_MS);
      return [series.split(':')[2], fromHour, toHour, state, reason ?? origin, asked].filter(
        (each) => each !== undefined,
      );
    });
    return { ...output, entries };
  };
  await operate('heal');
  await openSearch.indices.refresh({ index: '*', expand_wildcards: ['open', 'hidden'] });

  const before = [
    ['BTCUSDT', 2, 4, 'exchange down'],
    ['BTCUSDT', 5, 7, 'missing', 'no poll'],
    ['BTCUSDT', 7, 8, 'partial', 'ticks'],
    ['ETHUSDT', 5, 7, 'missing', 'no poll'],
    ['ETHUSDT', 7, 8, 'partial', 'ticks'],
  ];
  expect(await gaps()).toMatchObject({
    ...{ series: 2, present: 6, partial: 2, exchangeDown: 2, notListed: 4, missing: 4, repairable: 8 },
    entries: before,
  });
  expect((await gaps({ all: true, symbol: 'ETHUSDT' })).entries).toEqual([
    ['ETHUSDT', 0, 4, 'not listed'],
    ['ETHUSDT', 4, 5, 'present', 'ticks'],
    ...before.slice(3),
    ['ETHUSDT', 8, 9, 'present', 'ticks'],
  ]);
  const ask = await startInsights();
  const window = { from: at(0), to: at(9), exchange: 'bybit' };
  expect(await ask({ question: 'average', symbol: 'ETHUSDT', ...window })).toMatchObject({
    answer: { withoutData: { hours: 6, notListed: 4, exchangeDown: 0, missing: 2 } },
  });
  expect(await ask({ question: 'average', symbol: 'BTCUSDT', ...window })).toMatchObject({
    answer: { withoutData: { hours: 4, notListed: 0, exchangeDown: 2, missing: 2, beforeFirstPoll: 0 } },
  });

  // Of hour 6 the exchange has nothing itself.
  serveCandles([0, 1, 2, 3, 4, 5, 7, 8].map((hour) => Date.parse(at(hour))));
  server.asked.length = 0;
  const repaired = await gaps({ repair: true });
  const after = [
    ['BTCUSDT', 6, 7, 'missing', 'no poll', true],
    ['ETHUSDT', 6, 7, 'missing', 'no poll', true],
  ];
  expect(repaired).toMatchObject({
    requests: 3,
    unavailable: 2,
    repairable: 0,
    entries: after,
    problems: [],
  });
  expect(repaired.candles).toBeGreaterThanOrEqual(6);
  const asked = server.paths().filter((path) => path.startsWith('/v5/market/kline'));
  expect(asked).toHaveLength(3);
  expect(await gaps({ repair: true })).toMatchObject({ requests: 0, candles: 0, moves: 0, entries: after });
  expect(server.paths().filter((path) => path.startsWith('/v5/market/kline'))).toHaveLength(3);
  expect((await gaps({ all: true, symbol: 'BTCUSDT' })).entries).toContainEqual([
    'BTCUSDT',
    2,
    4,
    'present',
    'exchange',
  ]);

  await operate('undo', { run: repaired.run });
  expect((await gaps()).entries).toEqual(before);
});
