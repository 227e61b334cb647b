import { Client } from '@opensearch-project/opensearch';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ticker } from '../../core/market/ticker.ts';
import { startOpenSearch } from '../../local/engines/opensearch.ts';
import { emittedBy } from '../emf.ts';
import { startIndex, startIngest, startOperate, startSetup } from '../integration/lambdas/handlers.ts';
import { eventOfValues, recordsOf } from '../integration/lambdas/stores.ts';
import { services } from '../integration/services.ts';
import { sampleTickers } from '../samples/tickers.ts';
import { startFaultyExchange } from './faulty-exchange.ts';
import { type Fault, type FaultyProxy, type ProxiedRequest, startFaultyProxy } from './faulty-proxy.ts';
import { startMortal } from './own-engines.ts';
import { expectAgreement, fillLake, freshWorld, indexTopic, leaveWorld, until, type World } from './world.ts';

const SLOT = '2021-03-01T12:00:00.000Z';
/** Not late, so the index function has no hour to record in a request of its own. */
const recentSlot = () => new Date(Math.floor(Date.now() / 120_000) * 120_000).toISOString();

let world: World;
let proxy: FaultyProxy;
/** Decides the fault for each request to OpenSearch. */
let judge: (request: ProxiedRequest) => Fault;
beforeEach(async () => {
  judge = () => 'none';
  [world, proxy] = await Promise.all([
    freshWorld(),
    startFaultyProxy(services.openSearch, (request) => judge(request)),
  ]);
});
afterEach(async () => {
  await leaveWorld();
  await proxy.close();
});

const tickers = (count: number, slot = SLOT) => sampleTickers(count, { slot });

const isBulk = ({ path }: ProxiedRequest) => path.startsWith('/_bulk');

/** Withholds every third document of a bulk request, and answers with these statuses for them. */
function refuseEveryThird(statuses: readonly number[]): (request: ProxiedRequest) => Fault {
  return ({ body }) => {
    const lines = body.toString().trimEnd().split('\n');
    const withheld = (position: number) => position % 3 === 0;
    const documents = lines.length / 2;
    const kept = lines.filter((_, line) => !withheld(Math.floor(line / 2)));
    return {
      send: Buffer.from(`${kept.join('\n')}\n`),
      mend: (answer) => {
        const stored = (JSON.parse(answer.body.toString()) as { items?: unknown[] }).items ?? [];
        const items = Array.from({ length: documents }, (_, position) => {
          if (!withheld(position)) return stored.shift();
          const status = statuses[position % statuses.length] as number;
          return { create: { status, error: { type: 'busy_exception', reason: 'on purpose' } } };
        });
        return JSON.stringify({ errors: true, items });
      },
    };
  };
}

describe('OpenSearch', () => {
  it('busy for some documents (429, 503): only these are retried, until they are stored', async () => {
    const all = tickers(30, recentSlot());
    await fillLake(world, all);
    let bulks = 0;
    judge = (request) => {
      if (!isBulk(request)) return 'none';
      bulks += 1;
      return bulks <= 2 ? refuseEveryThird([429, 503])(request) : 'none';
    };
    const index = await startIndex({ bucket: world.bucket, openSearch: proxy.url });
    expect(await index(eventOfValues(all))).toMatchObject({ indexed: 30, alreadyThere: 0 });
    const sent = proxy.requests
      .filter(isBulk)
      .map(({ body }) => body.toString().trimEnd().split('\n').length / 2);
    expect(sent).toEqual([30, 10, 4]);
    expect(emittedBy('index')).toMatchObject([
      {
        RecordsReceived: 30,
        DocumentsIndexed: 30,
        DocumentsRetried: 10 + 4,
        RecordsUnstored: 0,
        DeadLetters: 0,
      },
    ]);
    await expectAgreement(world, 30);
  });

  it('busy for some documents until the deadline: exactly their offsets are reported as failed', async () => {
    const all = tickers(9, recentSlot());
    await fillLake(world, all);
    judge = (request) => (isBulk(request) ? refuseEveryThird([429])(request) : 'none');
    const index = await startIndex({
      bucket: world.bucket,
      openSearch: proxy.url,
      partialBatchResponse: true,
    });
    // Of 9 documents 3 remain, of these 1, which always fails.
    const { batchItemFailures } = await index(eventOfValues(all), 3_000);
    expect(batchItemFailures).toEqual([{ itemIdentifier: { partition: 'tickers-0', offset: 0 } }]);
    judge = () => 'none';
    await index(eventOfValues(all));
    const [ill, well] = emittedBy('index');
    expect(ill).toMatchObject({ DocumentsIndexed: 8, RecordsUnstored: 1 });
    expect(ill?.DocumentsRetried).toBeGreaterThanOrEqual(3 + 1);
    expect(well).toMatchObject({ DocumentsAlreadyThere: 8, DocumentsIndexed: 1, RecordsUnstored: 0 });
    await expectAgreement(world, 9);
  });

  it('whose answer is lost after storing the batch: the retry succeeds', async () => {
    const all = tickers(20);
    await fillLake(world, all);
    let bulks = 0;
    judge = (request) => (isBulk(request) && bulks++ === 0 ? 'cutAfter' : 'none');
    const index = await startIndex({ bucket: world.bucket, openSearch: proxy.url });
    expect(await index(eventOfValues(all))).toMatchObject({ indexed: 0, alreadyThere: 20 });
    expect(emittedBy('index')).toMatchObject([
      { DocumentsIndexed: 0, DocumentsAlreadyThere: 20, DocumentsRetried: 20, RecordsUnstored: 0 },
    ]);
    await expectAgreement(world, 20);
  });

  it('that does not answer after storing the batch: the invocation ends in time, the batch is delivered again', async () => {
    const all = tickers(20);
    await fillLake(world, all);
    judge = (request) => (isBulk(request) ? 'silenceAfter' : 'none');
    const index = await startIndex({ bucket: world.bucket, openSearch: proxy.url });
    const begunMs = Date.now();
    await expect(index(eventOfValues(all), 4_000)).rejects.toMatchObject({ name: 'IndexingIncompleteError' });
    expect(Date.now() - begunMs).toBeLessThan(4_000);
    judge = () => 'none';
    expect(await index(eventOfValues(all))).toMatchObject({ indexed: 0, alreadyThere: 20 });
    const [silent, well] = emittedBy('index');
    expect(silent).toMatchObject({ RecordsReceived: 20, DocumentsIndexed: 0, RecordsUnstored: 20 });
    expect(silent?.OpenSearchDuration).toBeGreaterThan(1_000);
    expect(well).toMatchObject({ DocumentsAlreadyThere: 20, RecordsUnstored: 0 });
    await expectAgreement(world, 20);
  });

  it('killed during a batch and started again: the same invocation stores the rest', async () => {
    const own = await startMortal('opensearch', (options) => startOpenSearch({ ...options, heapMb: 512 }));
    const client = new Client({ node: own.url });
    try {
      const all = Array.from({ length: 8 }, (_, minute) =>
        tickers(2_000, `2021-03-01T12:${String(minute * 2).padStart(2, '0')}:00.000Z`),
      ).flat();
      await Promise.all([fillLake(world, all), (await startSetup(own.url))()]);
      const index = await startIndex({ bucket: world.bucket, openSearch: own.url });
      const under = index(eventOfValues(all), 150_000);
      const exists = async () => (await client.indices.exists({ index: 'tickers-2021.03' })).body as boolean;
      await until(() => exists().catch(() => false));
      await own.kill();
      await own.start();
      const { indexed, alreadyThere } = await under;
      expect(indexed + alreadyThere).toBe(all.length);
      const [killed] = emittedBy('index');
      expect(killed).toMatchObject({ RecordsReceived: all.length, RecordsUnstored: 0 });
      expect(killed?.DocumentsRetried).toBeGreaterThan(0);
      const verify = await startOperate({ ...world, openSearch: own.url });
      expect(await verify('verify')).toMatchObject([
        { lakeIds: all.length, documents: all.length, differences: [], problems: [] },
      ]);
    } finally {
      await client.close();
      await own.stop();
    }
  }, 180_000);
});

describe('records that are not tickers, or that OpenSearch rejects', () => {
  it('become dead letters with their reasons; all others are indexed', async () => {
    const good = tickers(3);
    await fillLake(world, good);
    const odd = (given: object) => JSON.stringify({ ...good[0], symbol: 'ODD', ...given });
    const values: [string, string | Buffer][] = [
      ['poison', 'no JSON'],
      ['poison', Buffer.from([0xff, 0xfe])],
      ['poison', '{"v":1,"exchange":"bybit"}'],
      ['poison', `{"v":1,\n"exchange":"bybit",`],
      ['poison', odd({ last_price: null })],
      ['poison', odd({ slot: 'yesterday' })],
      ['poison', odd({ bid_price: { amount: 1 } })],
      ['poison', odd({ timestamp: 'yesterday' })],
      ['poison', odd({ base: 'x'.repeat(40_000) })],
      ['mapper_parsing_exception', odd({ _id: 'of OpenSearch itself' })],
      ['mapper_parsing_exception', odd({}).replace('}', ',"symbol":"TWICE"}')],
    ];
    const event = eventOfValues([...good, ...values.map(([, value]) => value)]);
    const notBase64 = { ...event.records['tickers-0']?.[0], offset: 99, value: '!!!' };
    event.records['tickers-0']?.push(notBase64 as never);
    const index = await startIndex({ bucket: world.bucket });
    expect(await index(event)).toMatchObject({ indexed: 3, deadLetters: values.length + 1 });
    expect(emittedBy('index')).toMatchObject([
      { DocumentsIndexed: 3, DeadLetters: values.length + 1, DocumentsRetried: 0, RecordsUnstored: 0 },
    ]);
    const letters = await recordsOf<{ error_type: string; offset: number }>(world.bucket, 'dead-letters/');
    const types = letters.toSorted((a, b) => a.offset - b.offset).map(({ error_type }) => error_type);
    expect(types).toEqual([...values.map(([type]) => type), 'poison']);
    await expectAgreement(world, 3);
  });

  it('do not include large ones: a value of 2 MB is indexed like any other', async () => {
    const [first] = tickers(1) as [Ticker];
    const large = { ...first, note: 'x'.repeat(2_000_000) };
    await fillLake(world, [large]);
    expect(await (await startIndex({ bucket: world.bucket }))(eventOfValues([large]))).toMatchObject({
      indexed: 1,
    });
    await expectAgreement(world, 1);
  });

  it('may contain a line break and stay one document', async () => {
    const [first, second] = tickers(2) as [Ticker, Ticker];
    await fillLake(world, [first, second]);
    const pretty = JSON.stringify(first, null, '\r\n  ');
    await (await startIndex({ bucket: world.bucket }))(eventOfValues([pretty, second]));
    await expectAgreement(world, 2);
  });
});

describe('deliveries that are repeated, out of order and concurrent', () => {
  it('store each ticker once', async () => {
    const all = [
      ...tickers(40),
      ...tickers(40, '2021-03-01T12:02:00.000Z'),
      ...tickers(40, '2021-04-01T00:00:00.000Z'),
    ];
    await fillLake(world, all);
    const functions = await Promise.all([1, 2, 3].map(() => startIndex({ bucket: world.bucket })));
    const events = [all, all.toReversed(), [...all.slice(50), ...all.slice(0, 70), ...all.slice(10, 30)]];
    await Promise.all(functions.map((index, at) => index(eventOfValues(events[at] as Ticker[]))));
    const sum = (name: string) => emittedBy('index').reduce((sum, values) => sum + (values[name] ?? 0), 0);
    expect(sum('DocumentsIndexed')).toBe(all.length);
    expect(sum('DocumentsAlreadyThere')).toBe(events.flat().length - all.length);
    await expectAgreement(world, all.length);
  });
});

describe('whatever an exchange sends', () => {
  const raw = fc.record(
    {
      symbol: fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 6 })),
      lastPrice: fc.oneof(fc.double({ min: 0, noNaN: true }).map(String), fc.string({ maxLength: 5 })),
      volume24h: fc.oneof(fc.double().map(String), fc.double()),
      price24hPcnt: fc.double({ noNaN: true }).map(String),
      nextFundingTime: fc.oneof(fc.nat().map(String), fc.integer(), fc.string({ maxLength: 4 })),
      lastTickDirection: fc.string({ unit: 'binary', maxLength: 5 }),
    },
    { requiredKeys: ['symbol', 'lastPrice'] },
  );

  it('is accepted by OpenSearch if the ingest function accepts it', async () => {
    const exchange = await startFaultyExchange();
    try {
      const ingest = await startIngest({
        source: { url: exchange.url, categories: ['spot', 'linear'] },
        ...world,
      });
      exchange.list = fc.sample(raw, 3_000);
      const report = await ingest(SLOT);
      expect(report.produced).toBeGreaterThan(100);
      await indexTopic(world);
      expect(await recordsOf(world.bucket, 'dead-letters/')).toEqual([]);
      await expectAgreement(world, report.produced);
    } finally {
      await exchange.close();
    }
  });
});
