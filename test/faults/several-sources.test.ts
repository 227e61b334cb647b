import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { formatSeries } from '../../core/market/series.ts';
import type { Ticker } from '../../core/market/ticker.ts';
import type { Endpoints } from '../../local/pipeline/endpoints.ts';
import type { Choices } from '../../report/protocol.ts';
import { recordsOf } from '../integration/lambdas/stores.ts';
import { start } from '../integration/npm-start.ts';
import { clearTickers, kafka, openSearch, services } from '../integration/services.ts';
import { recordedBybitV5, recordedPayload } from '../samples/recorded-payloads.ts';
import { ExchangeServer } from '../unit/exchanges/exchange-server.ts';

const BUCKET = 'crypto-market-lake';
const TOPIC = 'tickers';
/** What the payloads hold: series by exchange. */
const SERIES: Record<string, string[]> = {
  bybit: ['bybit:linear:BTCUSDT', 'bybit:inverse:BTCUSD', 'bybit:spot:BTCUSDT'],
  binance: ['binance:spot:BNBBTC', 'binance:linear:BTCUSDT'],
  kraken: ['kraken:spot:XXBTZUSD'],
  gate: ['gate:spot:BTC_USDT'],
};
const NAMES = ['bybit', 'binance', 'kraken', 'ccxt:gate'];
const EXCHANGES = Object.keys(SERIES);

const server = new ExchangeServer();
let folder: string;
let run: ReturnType<typeof start> | undefined;

beforeAll(async () => {
  await clearTickers();
  await server.start();
  server.serve({
    '/v5/market/tickers?category=linear': recordedBybitV5('linear'),
    '/v5/market/tickers?category=inverse': recordedBybitV5('inverse'),
    '/v5/market/tickers?category=spot': recordedBybitV5('spot'),
    '/api/v3/ticker/24hr': recordedPayload('binance-ticker-24hr'),
    '/api/v3/exchangeInfo': recordedPayload('binance-exchange-info'),
    '/fapi/v1/ticker/24hr': recordedPayload('binance-futures-ticker-24hr'),
    '/fapi/v1/premiumIndex': recordedPayload('binance-futures-premium-index'),
    '/fapi/v1/exchangeInfo': recordedPayload('binance-futures-exchange-info'),
    '/0/public/Ticker': recordedPayload('kraken-ticker'),
    '/0/public/AssetPairs': recordedPayload('kraken-asset-pairs'),
    '/api/v4/spot/currency_pairs': [{ id: 'BTC_USDT', base: 'BTC', quote: 'USDT', trade_status: 'tradable' }],
    '/api/v4/margin/currency_pairs': [],
    '/api/v4/spot/tickers': [{ currency_pair: 'BTC_USDT', last: '60000.5', change_percentage: '-1.23' }],
  });
});
afterAll(async () => {
  await server.stop();
  await clearTickers();
});
beforeEach(() => {
  folder = mkdtempSync(join(inject('runFolder'), 'several-'));
});
afterEach(async () => {
  if (run && run.child.exitCode === null && run.child.signalCode === null) {
    run.child.kill('SIGKILL');
    await once(run.child, 'close');
  }
  rmSync(folder, { recursive: true, force: true });
});

const until = <T>(condition: () => T | Promise<T>) =>
  vi.waitFor(condition, { timeout: 60_000, interval: 50 });

function startAll(...args: string[]) {
  const sources = NAMES.flatMap((name) => ['--source', `${name}=${server.url}`]);
  const shared = ['--kafka', services.kafka, '--opensearch', services.openSearch, '--s3', services.s3];
  run = start([...sources, ...args, '--folder', folder, ...shared]);
  return run;
}

const countBy = <T>(values: readonly T[], keyOf: (value: T) => string) =>
  Object.fromEntries([...Map.groupBy(values, keyOf)].map(([key, each]) => [key, each.length]));

/** The keys of everything on the topic: the series. */
async function topicKeys(): Promise<string[]> {
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(TOPIC);
  await admin.disconnect();
  const total = ends.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  const keys: string[] = [];
  const consumer = kafka.consumer({ groupId: `reader-${randomUUID()}` });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void keys.push(String(message.key)) });
    await until(() => expect(keys).toHaveLength(total));
  } finally {
    await consumer.disconnect();
  }
  return keys;
}

async function indexedSeries(): Promise<Ticker[]> {
  await openSearch.indices.refresh({ index: 'tickers-*' });
  const { body } = await openSearch.search({ index: 'tickers-*', body: { size: 5_000 } });
  return body.hits.hits.map(({ _source }) => _source as unknown as Ticker);
}

describe('npm start with several sources at once', () => {
  it('polls each on a schedule of its own, and lake, topic and index hold the same of each', {
    timeout: 150_000,
  }, async () => {
    // Enough for the source that starts last, which has ccxt to load.
    const { child, ended, text, report } = startAll('--polls', '48', '--interval', '500', '--json');
    expect(await ended, text()).toBe(0);
    expect(child.exitCode).toBe(0);

    const lake = await recordsOf<Ticker>(BUCKET, 'tickers/');
    expect(new Set(lake.map(formatSeries))).toEqual(new Set(Object.values(SERIES).flat()));
    const bySeries = countBy(lake, formatSeries);
    expect(countBy(await topicKeys(), (key) => key)).toEqual(bySeries);
    expect(countBy(await indexedSeries(), formatSeries)).toEqual(bySeries);

    const { exchanges, sources, insights, agree, polls } = report();
    expect(agree).toBe(true);
    const lakeOf = countBy(lake, ({ exchange }) => exchange);
    for (const exchange of EXCHANGES) {
      expect(exchanges[exchange]).toEqual({
        lakeRecords: lakeOf[exchange],
        lakeIds: lakeOf[exchange],
        documentsIndexed: lakeOf[exchange],
        rejected: 0,
      });
    }
    expect(Object.keys(sources).sort()).toEqual(['binance', 'bybit', 'ccxt-gate', 'kraken']);
    expect(Object.values(sources).reduce((sum, each) => sum + each.polls, 0)).toBe(polls);
    // Each poll of a source brings each of its series once.
    for (const [name, { polls: ofSource, failedPolls }] of Object.entries(sources)) {
      expect(ofSource, name).toBeGreaterThanOrEqual(2);
      expect(failedPolls, name).toBe(0);
      const [series] = SERIES[name.replace('ccxt-', '')] ?? [];
      expect(bySeries[series ?? ''], name).toBe(ofSource);
    }
    const asked = insights.map(({ question }) => (question as { exchange?: string }).exchange);
    expect(new Set(asked)).toEqual(new Set(EXCHANGES));
  });

  it('shows all of them while it runs', async () => {
    const { child, ended, text } = startAll('--interval', '500');
    for (const exchange of EXCHANGES) {
      await until(() => expect(text()).toMatch(new RegExp(`poll \\d+ {2}${exchange} {2}slot`)));
    }
    const { sources } = JSON.parse(readFileSync(join(folder, 'endpoints.json'), 'utf8')) as Endpoints;
    expect(sources).toEqual(
      Object.fromEntries(['bybit', 'binance', 'kraken', 'ccxt-gate'].map((name) => [name, server.url])),
    );
    expect(JSON.parse(readFileSync(join(folder, 'sampling-intervals.json'), 'utf8'))).toMatchObject({
      'bybit:spot': 1_000,
      'gate:spot': 1_000,
    });
    const page = /See it +(\S+)/.exec(text())?.[1];
    for (const series of Object.values(SERIES).flat()) {
      const answer = await fetch(`${page}api/choices?search=${encodeURIComponent(series)}`);
      const { choices } = (await answer.json()) as Choices;
      expect(choices.map((choice) => choice.series)).toContain(series);
    }
    child.kill('SIGTERM');
    expect(await ended, text()).toBe(0);
  });
});
