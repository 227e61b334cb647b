import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { tickerId } from '../../../core/market/ticker.ts';
import { OpenSearchTickers } from '../../../stores/opensearch/tickers.ts';
import { sampleTicker } from '../../samples/tickers.ts';
import { clearTickers, freshBucket, freshTopic, openSearch, services } from '../services.ts';
import { type IndexEnvironment, startIndex, startIngest, startSetup } from './handlers.ts';
import {
  deadAddress,
  type FakeBybit,
  type FlakyWire,
  startFakeBybit,
  startFlakyWire,
} from './local-servers.ts';
import { eventOf, eventOfValues, keysOf, readTopic, recordsOf } from './stores.ts';

const SLOT = '2021-03-01T12:00:00.000Z';
const INDEX = 'tickers-2021.03';
const ticker = (symbol: string, given: Parameters<typeof sampleTicker>[0] = {}) =>
  sampleTicker({ symbol, slot: SLOT, ...given });

let bucket: string;
beforeAll(async () => {
  await clearTickers();
  await (await startSetup())();
});
beforeEach(async () => {
  bucket = await freshBucket();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await clearTickers();
});
afterAll(async () => {
  await openSearch.close();
});

const start = (given: Partial<IndexEnvironment> = {}) => startIndex({ bucket, ...given });

/** The tickers that the index holds, by id. */
async function indexed(): Promise<Record<string, unknown>> {
  await openSearch.indices.refresh({ index: 'tickers-*', allow_no_indices: true });
  const { body } = await openSearch.search({ index: 'tickers-*', allow_no_indices: true, size: 1_000 });
  return Object.fromEntries(body.hits.hits.map(({ _id, _source }) => [_id, _source]));
}
const symbolsIndexed = async () =>
  Object.values(await indexed())
    .map((source) => (source as { symbol: string }).symbol)
    .sort();
const deadLetters = () => recordsOf(bucket, 'dead-letters/');

describe('what people filter and sort by in Dashboards', () => {
  it('are the values that are charted, though no tree is kept to search them', async () => {
    const values = [
      ticker('CHEAP', { last_price: 1, open_interest: 5, price_24h_pcnt: -0.02 }),
      ticker('DEAR', { last_price: 60_000.5, open_interest: 7, price_24h_pcnt: 0.06 }),
    ];
    await (await start())(eventOfValues(values));
    await openSearch.indices.refresh({ index: INDEX });
    const symbolsWhere = async (range: Record<string, Record<string, number>>) => {
      const { body } = await openSearch.search({
        index: INDEX,
        body: { query: { range }, sort: [{ last_price: { order: 'desc' } }] },
      });
      return body.hits.hits.map(({ _source }) => (_source as { symbol: string }).symbol);
    };
    expect(await symbolsWhere({ last_price: { gte: 1 } })).toEqual(['DEAR', 'CHEAP']);
    expect(await symbolsWhere({ last_price: { gt: 60_000.25 } })).toEqual(['DEAR']);
    expect(await symbolsWhere({ open_interest: { lt: 7 } })).toEqual(['CHEAP']);
    expect(await symbolsWhere({ price_24h_pcnt: { lte: -0.01 } })).toEqual(['CHEAP']);
  });
});

describe('the index function', () => {
  let bybit: FakeBybit;
  beforeEach(async () => {
    bybit = await startFakeBybit();
  });
  afterEach(async () => {
    await bybit.close();
  });

  it('makes what the ingest function produced answer both queries of the article, unchanged', async () => {
    bybit.lists.spot = Array.from({ length: 5 }, (_, index) => ({
      symbol: index === 0 ? 'BTCUSDT' : `C${index}USDT`,
      lastPrice: '1',
      price24hPcnt: `0.0${index}`,
    }));
    const topic = await freshTopic(1);
    const ingest = await startIngest({
      source: { url: bybit.url, categories: ['inverse', 'spot'] },
      bucket,
      topic,
    });
    await ingest(SLOT);
    const report = await (await start())(eventOf(await readTopic(topic)));
    expect(report).toEqual({
      records: 6,
      indexed: 6,
      alreadyThere: 0,
      deadLetters: 0,
      batchItemFailures: [],
    });
    await openSearch.indices.refresh({ index: INDEX });

    const ask = async (query: string) => {
      const { body } = await openSearch.search({ index: 'tickers', body: JSON.parse(query) });
      return body.aggregations as Record<string, { buckets: unknown[]; values: unknown }>;
    };
    const bySymbol = await ask(
      '{"size":0,"aggs":{"by_symbol":{"terms":{"field":"symbol.keyword","size":10},"aggs":{"volatility":{"percentiles":{"field":"price_24h_pcnt","percents":[25,50,75,95,99]}}}}}}',
    );
    expect(bySymbol.by_symbol?.buckets).toHaveLength(6);
    expect(bySymbol.by_symbol?.buckets).toContainEqual(
      expect.objectContaining({
        key: 'C3USDT',
        doc_count: 1,
        volatility: { values: expect.objectContaining({ '50.0': expect.closeTo(0.03, 6) }) },
      }),
    );
    const ofBitcoin = await ask(
      '{"size":0,"query":{"match":{"symbol":"BTCUSDT"}},"aggs":{"p":{"percentiles":{"field":"price_24h_pcnt","percents":[1,5,25,50,75,95,99]}}}}',
    );
    expect(ofBitcoin.p?.values).toEqual({
      '1.0': 0,
      '5.0': 0,
      '25.0': 0,
      '50.0': 0,
      '75.0': 0,
      '95.0': 0,
      '99.0': 0,
    });
  });
});

describe('indexing', () => {
  it('keeps each ticker under its id, with every number as it was produced', async () => {
    const tiny = ticker('TINYUSDT', { last_price: 1e-9, volume_24h: 123456789.12345679 });
    await (await start())(eventOfValues([tiny]));
    expect(await indexed()).toEqual({ [tickerId(tiny)]: tiny });
  });

  it('puts each ticker into the index of its slot’s month', async () => {
    const march = ticker('A');
    const april = ticker('A', { slot: '2021-04-01T00:00:00.000Z' });
    await (await start())(eventOfValues([march, april]));
    const { body } = await openSearch.indices.get({ index: 'tickers-*' });
    expect(Object.keys(body).sort()).toEqual([INDEX, 'tickers-2021.04']);
    expect(Object.keys(await indexed())).toHaveLength(2);
  });

  it('takes what comes again for a success', async () => {
    const event = eventOfValues([ticker('A'), ticker('B')]);
    const index = await start();
    await index(event);
    expect(await index(event)).toMatchObject({ indexed: 0, alreadyThere: 2, batchItemFailures: [] });
    expect(await symbolsIndexed()).toEqual(['A', 'B']);
  });

  it('takes the same ticker twice in one event for one', async () => {
    expect(await (await start())(eventOfValues([ticker('A'), ticker('A')]))).toMatchObject({
      indexed: 1,
      alreadyThere: 1,
    });
  });

  it('sends poison to the dead letters, and indexes the rest', async () => {
    const poison = ['oops', '{"v":1}', Buffer.from([0xff]), null];
    const report = await (await start())(eventOfValues([ticker('A'), ...poison, ticker('B')]));
    expect(report).toMatchObject({ records: 6, indexed: 2, deadLetters: 4, batchItemFailures: [] });
    expect(await symbolsIndexed()).toEqual(['A', 'B']);
    expect(await deadLetters()).toMatchObject(
      poison.map((value, index) => ({
        topic: 'tickers',
        partition: 0,
        offset: index + 1,
        value_base64: value === null ? null : Buffer.from(value as string).toString('base64'),
        error_type: 'poison',
      })),
    );
  });

  it('sends what the mapping refuses to the dead letters, and indexes the rest', async () => {
    const twice = JSON.stringify(ticker('BAD')).replace('}', ',"symbol":"TWICE"}');
    const itsOwn = JSON.stringify({ ...ticker('BAD2'), _id: 'of OpenSearch itself' });
    const report = await (await start())(eventOfValues([ticker('A'), twice, itsOwn, ticker('B')]));
    expect(report).toMatchObject({ indexed: 2, deadLetters: 2, batchItemFailures: [] });
    expect(await symbolsIndexed()).toEqual(['A', 'B']);
    expect(await deadLetters()).toMatchObject([
      { offset: 1, error_type: 'mapper_parsing_exception', reason: expect.stringContaining('symbol') },
      { offset: 2, error_type: 'mapper_parsing_exception', reason: expect.stringContaining('_id') },
    ]);
  });

  it('finds the document for which OpenSearch refuses the whole request', async () => {
    const documents = ['A', 'x'.repeat(600), 'B'].map((id) => ({
      id, // 512 bytes at most
      slot: SLOT,
      source: JSON.stringify(ticker(id.slice(0, 1))),
    }));
    const outcomes = await new OpenSearchTickers(openSearch).create(documents, Date.now() + 10_000);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['stored', 'refused', 'stored']);
    expect(await symbolsIndexed()).toEqual(['A', 'B']);
  });

  it('writes the same dead letters over themselves when the batch comes again', async () => {
    const index = await start();
    await index(eventOfValues(['oops']));
    await index(eventOfValues(['oops']));
    expect(await keysOf(bucket, 'dead-letters/')).toHaveLength(1);
  });
});

describe('an outage of OpenSearch', () => {
  let wire: FlakyWire | undefined;
  afterEach(async () => {
    await wire?.close();
    wire = undefined;
  });

  it('that ends within the invocation is waited for', async () => {
    wire = await startFlakyWire(services.openSearch, 3);
    const report = await (await start({ openSearch: wire.url }))(eventOfValues([ticker('A'), ticker('B')]));
    expect(report).toMatchObject({ indexed: 2, batchItemFailures: [] });
    expect(wire.connections).toBeGreaterThan(3);
  });

  it('that lasts makes the batch come again', async () => {
    const index = await start({ openSearch: `http://${await deadAddress()}` });
    await expect(index(eventOfValues([ticker('A'), ticker('B')]), 1_500)).rejects.toMatchObject({
      name: 'IndexingIncompleteError',
      message: expect.stringMatching(
        /^2 of 2 records are not stored yet and must be delivered again: .*ECONNREFUSED/,
      ),
    });
  });

  it('that lasts is reported by record if the mapping reads partial answers', async () => {
    const index = await start({ openSearch: `http://${await deadAddress()}`, partialBatchResponse: true });
    // A quarter of the time is for the dead letter.
    const report = await index(eventOfValues([ticker('A'), 'oops', ticker('B')]), 5_000);
    expect(report.batchItemFailures).toEqual(
      [0, 2].map((offset) => ({ itemIdentifier: { partition: 'tickers-0', offset } })),
    );
    expect(await deadLetters()).toHaveLength(1);
  });

  it('that hits one index leaves the others alone, and exactly its records come again', async () => {
    const april = (symbol: string) => ticker(symbol, { slot: '2021-04-01T00:00:00.000Z' });
    const index = await start({ partialBatchResponse: true });
    await index(eventOfValues([april('FIRST')]));
    const block = (blocked: boolean) =>
      openSearch.indices.putSettings({ index: 'tickers-2021.04', body: { 'index.blocks.write': blocked } });
    await block(true);
    const event = eventOfValues([ticker('A'), april('B'), ticker('C'), april('D')]);
    expect(await index(event, 2_000)).toMatchObject({
      indexed: 2,
      deadLetters: 0,
      batchItemFailures: [1, 3].map((offset) => ({ itemIdentifier: { partition: 'tickers-0', offset } })),
    });
    await block(false);
    expect(await index(event)).toMatchObject({ indexed: 2, alreadyThere: 2, batchItemFailures: [] });
    expect(await symbolsIndexed()).toEqual(['A', 'B', 'C', 'D', 'FIRST']);
  });
});

describe('an outage of S3', () => {
  it('makes a batch with a dead letter come again, and nothing else', async () => {
    const index = await start({ s3: `http://${await deadAddress()}` });
    await expect(index(eventOfValues([ticker('A'), 'oops']))).rejects.toThrow(/ECONNREFUSED/);
    expect(await index(eventOfValues([ticker('A')]))).toMatchObject({ alreadyThere: 1 });
  });
});
