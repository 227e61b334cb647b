import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, ListBucketsCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { Ticker } from '../../core/market/ticker.ts';
import { apartFromCredentials } from '../../local/engines/s3-client.ts';
import { emittedIn, statisticsOf } from '../../local/pipeline/emitted-metrics.ts';
import type { Endpoints } from '../../local/pipeline/endpoints.ts';
import { BUCKET } from '../../local/pipeline/resources.ts';
import { type FakeBybit, startFakeBybit } from './lambdas/local-servers.ts';
import { ON_SHARED_ENGINES, start } from './npm-start.ts';
import { clearLake, clearTickers, kafka, openSearch, s3, services } from './services.ts';

const until = <T>(condition: () => T | Promise<T>) =>
  vi.waitFor(condition, { timeout: 180_000, interval: 50 });

// Whole starts with their history, of which a busy machine has taken 90 s.
vi.setConfig({ testTimeout: 240_000 });

/** Every record under a prefix of the lake, read without our own code. */
async function lakeRecords(prefix: string): Promise<Record<string, unknown>[]> {
  const records: Record<string, unknown>[] = [];
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: BUCKET, Prefix: prefix })) {
    for (const { Key } of page.Contents ?? []) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
      const text = gunzipSync((await Body?.transformToByteArray()) ?? '').toString('utf8');
      records.push(
        ...text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
      );
    }
  }
  return records;
}

/** The buckets that another program sees with the settings that `npm start` prints. */
async function bucketsOfProfile(configFile: string): Promise<(string | undefined)[]> {
  vi.stubEnv('AWS_CONFIG_FILE', configFile);
  vi.stubEnv('AWS_PROFILE', 'local');
  const client = new S3Client();
  const { Buckets = [] } = await client.send(new ListBucketsCommand());
  client.destroy();
  vi.unstubAllEnvs();
  return Buckets.map(({ Name }) => Name);
}

async function topicRecords(): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets('tickers');
    return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  } finally {
    await admin.disconnect();
  }
}

async function indexedDocuments(): Promise<number> {
  await openSearch.indices.refresh({ index: 'tickers-*' });
  return (await openSearch.count({ index: 'tickers-*' })).body.count;
}

describe('npm start with existing servers', () => {
  let folder: string;
  const running = new Set<ChildProcess>();
  const startHere = (...args: string[]) => {
    const run = start([...args, '--folder', folder, ...ON_SHARED_ENGINES]);
    running.add(run.child);
    return run;
  };

  beforeAll(async () => {
    await clearLake();
    await clearTickers();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(inject('runFolder'), 'start-'));
  });
  afterEach(async () => {
    for (const child of running) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'close');
      }
    }
    running.clear();
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(clearTickers);

  it('reports numbers that agree with each other and with the contents of the stores', async () => {
    const run = startHere('--polls', '12', '--json', '--compose');
    expect(await run.ended, run.text()).toBe(0);
    const report = run.report();
    const records = await lakeRecords('tickers/');
    expect(report).toMatchObject({
      polls: 12,
      failedPolls: 0,
      rejected: 0,
      duplicatesRefused: 0,
      agree: true,
    });
    expect(report.tickersFetched).toBe(records.length);
    expect(report.lakeRecords).toBe(records.length);
    expect(report.lakeObjects).toBe(12);
    expect(report.recordsProduced).toBe(await topicRecords());
    expect(report.recordsProduced).toBe(records.length);
    expect(report.documentsIndexed).toBe(await indexedDocuments());
    expect(report.documentsIndexed).toBe(records.length);
    expect(report.startupSeconds.total).toBeGreaterThan(0);
    const [bySymbol, ofBtcusdt, ofAnother] = report.articleQueries;
    expect(bySymbol?.aggregations.by_symbol?.buckets.map(({ key }) => key)).toContain('BTCUSD');
    expect(ofBtcusdt?.hits).toBe(0);
    expect(ofAnother?.hits).toBe(12);
    const metrics = await statisticsOf(emittedIn(folder, 0));
    const sumOf = (metric: string) => metrics.find(({ name }) => name === metric)?.sum;
    expect(sumOf('PollsSucceeded')).toBe(12);
    // Emitted only when one fails.
    expect(sumOf('PollsFailed')).toBeUndefined();
    expect(sumOf('TickersFetched')).toBe(records.length);
    expect(sumOf('DocumentsIndexed')).toBe(records.length);
  });

  it('publishes its endpoints, refuses a second start, and cleans up after a signal', async () => {
    const run = startHere();
    const file = join(folder, 'endpoints.json');
    await until(() => expect(existsSync(file)).toBe(true));
    const endpoints = JSON.parse(readFileSync(file, 'utf8')) as Endpoints;
    expect(endpoints).toMatchObject({
      kafka: [services.kafka],
      openSearch: services.openSearch,
      s3: apartFromCredentials(services.s3).endpoint,
      s3Credentials: apartFromCredentials(services.s3).credentials,
      topic: 'tickers',
      bucket: BUCKET,
      pids: { start: run.child.pid },
    });
    expect(await bucketsOfProfile(join(folder, 'aws.config'))).toContain(BUCKET);
    for (const name of ['endpoints.json', 'aws.config']) {
      expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
    }
    const second = startHere();
    expect(await second.ended).toBe(1);
    expect(second.text()).toContain(`A pipeline is already running in ${folder} (process ${run.child.pid}`);
    run.child.kill('SIGTERM');
    run.child.kill('SIGTERM');
    expect(await run.ended, run.text()).toBe(0);
    expect(existsSync(file)).toBe(false);
    expect(existsSync(join(folder, 'aws.config'))).toBe(false);
    expect(existsSync(join(folder, 'lock.json'))).toBe(false);
  });

  describe('and another source', () => {
    let bybit: FakeBybit;
    beforeEach(async () => {
      bybit = await startFakeBybit();
    });
    afterEach(() => bybit.close());

    it('indexes every valid ticker with exact numbers, and keeps the invalid one with its reason', async () => {
      const symbols = Array.from({ length: 700 }, (_, index) => `COIN${index}USDT`);
      const prices = ['1e-9', '0.000000001', '63000.123456789', '12345678.87654321', '0.1'];
      const priceOf = (index: number) => prices[index % prices.length] as string;
      const listed = symbols.map((symbol, index) => ({
        symbol,
        lastPrice: priceOf(index),
        bid1Price: '',
        volume24h: '11801.27771',
        turnover24h: '243765620.65899866',
      }));
      bybit.lists = {
        linear: [...listed, { symbol: 'BADUSDT', lastPrice: 'abc' }],
        spot: listed.slice(0, 10),
        inverse: [],
      };
      const run = startHere('--polls', '2', '--interval', '50', '--json', '--source-url', bybit.url);
      expect(await run.ended, run.text()).toBe(0);

      const { body } = await openSearch.search({
        index: 'tickers-*',
        body: { size: 2_000, query: { bool: { filter: { term: { exchange: 'bybit' } } } } },
      });
      const found = body.hits.hits.map(({ _source }) => _source as unknown as Ticker);
      expect(found).toHaveLength(2 * 710);
      for (const ticker of found) {
        const index = symbols.indexOf(ticker.symbol);
        expect(ticker.last_price).toBe(Number(priceOf(index)));
        expect(ticker).toMatchObject({ volume_24h: 11801.27771, turnover_24h: Number('243765620.65899866') });
        expect(ticker).not.toHaveProperty('bid_price');
      }
      const rejected = await lakeRecords('rejected/exchange=bybit/');
      expect(rejected).toHaveLength(2);
      expect(rejected[0]).toMatchObject({
        category: 'linear',
        reason: 'lastPrice: expected a decimal number, got "abc"',
        value: { symbol: 'BADUSDT', lastPrice: 'abc' },
      });
    });
  });
});
