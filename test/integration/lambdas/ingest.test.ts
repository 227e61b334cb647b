import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatSeries } from '../../../core/market/series.ts';
import { type Ticker, tickerId } from '../../../core/market/ticker.ts';
import { emittedBy, forgetMetrics } from '../../emf.ts';
import { freshBucket, freshTopic, kafka } from '../services.ts';
import { type IngestEnvironment, startIngest } from './handlers.ts';
import { deadAddress, type FakeBybit, startFakeBybit } from './local-servers.ts';
import { jsonOf, keysOf, linesOf, producedText, readTopic, recordsOf } from './stores.ts';

const SLOT = '2031-03-01T12:00:00.000Z';
const NEXT_SLOT = '2031-03-01T12:02:00.000Z';
const SLOT_MS = Date.parse(SLOT);

let bybit: FakeBybit;
let bucket: string;
let topic: string;
beforeEach(async () => {
  forgetMetrics();
  [bybit, bucket, topic] = await Promise.all([startFakeBybit(), freshBucket(), freshTopic(1)]);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await bybit.close();
});

const start = (given: Partial<IngestEnvironment> = {}) =>
  startIngest({
    source: { url: bybit.url, categories: ['linear', 'inverse', 'spot'] },
    bucket,
    topic,
    ...given,
  });
const producedValues = async () => (await readTopic(topic)).map(producedText);
const idsOf = (values: string[]) => values.map((value) => tickerId(JSON.parse(value) as Ticker));

describe('the ingest function', () => {
  it('writes every category to the lake, every ticker to the topic, and moves its marker', async () => {
    const report = await (await start())('2031-03-01T12:00:00Z');
    expect(report).toMatchObject({ slot: SLOT, produced: 3, backlogBatches: 0, waitingBatches: 0 });
    expect(await keysOf(bucket)).toEqual([
      ...['inverse', 'linear', 'spot'].map((category) => `state/exchange=bybit/category=${category}.json`),
      ...['inverse', 'linear', 'spot'].map(
        (category) =>
          `tickers/exchange=bybit/category=${category}/dt=2031-03-01/hour=12/${SLOT_MS}.ndjson.gz`,
      ),
    ]);
    expect(new Set(await producedValues())).toEqual(new Set(await linesOf(bucket, 'tickers/')));
    expect(await jsonOf(bucket, 'state/exchange=bybit/category=spot.json')).toEqual({
      v: 2,
      through: '2031-03-01T10:59:59.999Z',
      beyond: [SLOT],
      tickers: 1,
    });
  });

  it('keys each record of the topic by its series, so that the same symbol in two categories is two', async () => {
    await (await start())(SLOT);
    const keys = (await readTopic(topic)).map((record) => Buffer.from(record.key, 'base64').toString());
    expect(keys).toEqual(['bybit:linear:BTCUSDT', 'bybit:inverse:BTCUSD', 'bybit:spot:BTCUSDT']);
    const tickers = await recordsOf<Ticker>(bucket, 'tickers/');
    expect(new Set(tickers.map(formatSeries))).toEqual(new Set(keys));
  });

  it('passes 700 symbols through with exact numbers, and puts the bad one under rejected/', async () => {
    const good = Array.from({ length: 700 }, (_, index) => ({
      symbol: `C${index}USDT`,
      lastPrice: `${index + 1}e-9`,
      bid1Price: '',
      price24hPcnt: '-0.0001',
      turnover24h: '243765620.65899866',
    }));
    const bad = { symbol: 'BADUSDT', lastPrice: 'oops' };
    bybit.lists.spot = [...good.slice(0, 350), bad, ...good.slice(350)];
    const report = await (await start({ source: { url: bybit.url, categories: ['spot'] } }))(SLOT);
    expect(report.categories).toEqual([{ category: 'spot', status: 'polled', fetched: 700, rejected: 1 }]);
    const produced: Ticker[] = (await producedValues()).map((value) => JSON.parse(value));
    expect(produced.map(({ symbol, last_price, bid_price }) => [symbol, last_price, bid_price])).toEqual(
      good.map(({ symbol, lastPrice }) => [symbol, Number(lastPrice), undefined]),
    );
    expect(await recordsOf(bucket, 'rejected/')).toEqual([
      expect.objectContaining({ reason: 'lastPrice: expected a decimal number, got "oops"', value: bad }),
    ]);
  });

  it('stores a slot once that is polled twice, and produces the same ids again', async () => {
    const ingest = await start();
    await ingest(SLOT);
    const stored = await linesOf(bucket, 'tickers/');
    const report = await ingest(SLOT);
    expect(bybit.requests).toBe(3);
    expect(report.categories.map(({ status }) => status)).toEqual([
      'acknowledged',
      'acknowledged',
      'acknowledged',
    ]);
    expect(await linesOf(bucket, 'tickers/')).toEqual(stored);
    const ids = idsOf(await producedValues());
    expect(ids).toHaveLength(6);
    expect(new Set(ids)).toEqual(new Set(idsOf(stored)));
  });

  it('stores a slot once that two instances poll at the same time, and produces only what is stored', async () => {
    const [one, other] = [await start(), await start()];
    await Promise.all([one(SLOT), other(SLOT)]);
    const stored = await linesOf(bucket, 'tickers/');
    expect(stored).toHaveLength(3);
    expect(new Set(await producedValues())).toEqual(new Set(stored));
  });

  it('produces nothing while S3 is down', async () => {
    const ingest = await start({ s3: `http://${await deadAddress()}` });
    await expect(ingest(SLOT)).rejects.toThrow(/ECONNREFUSED/);
    expect(await readTopic(topic)).toEqual([]);
    expect(emittedBy('ingest')).toMatchObject([
      { PollsSucceeded: 0, PollsFailed: 1, CategoriesFailed: 3, TickersFetched: 0, RecordsProduced: 0 },
    ]);
  });

  it('fills the lake while Kafka is down, and the next poll produces its own slot, then the rest', async () => {
    const cutOff = await start({ kafka: await deadAddress() });
    await expect(cutOff(SLOT, 4_000)).rejects.toMatchObject({
      name: 'StreamUnavailableError',
      message: expect.stringContaining('They are in the lake; the next poll produces them.'),
    });
    expect(await linesOf(bucket, 'tickers/')).toHaveLength(3);
    expect(await jsonOf(bucket, 'state/exchange=bybit/category=spot.json')).toMatchObject({ beyond: [] });

    const report = await (await start())(NEXT_SLOT);
    expect(report).toMatchObject({ produced: 6, backlogBatches: 3, waitingBatches: 0 });
    const slots = (await producedValues()).map((value) => (JSON.parse(value) as Ticker).slot);
    expect(slots).toEqual([NEXT_SLOT, NEXT_SLOT, NEXT_SLOT, SLOT, SLOT, SLOT]);
  });

  it('is back as soon as Kafka knows the topic, in the same instance', async () => {
    const later = `${topic}-later`;
    const ingest = await start({ topic: later });
    await expect(ingest(SLOT, 4_000)).rejects.toMatchObject({
      name: 'StreamUnavailableError',
      message: expect.stringContaining('Create the topic, or correct KAFKA_TOPIC.'),
    });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      topics: [{ topic: later, numPartitions: 1, replicationFactor: 1 }],
      waitForLeaders: true,
    });
    await admin.disconnect();
    expect(await ingest(SLOT)).toMatchObject({ produced: 3 });
  });

  it('says why the exchange could not be polled', async () => {
    bybit.status = 503;
    // The longest waits: no attempt starts so late that only its own timeout would be seen.
    vi.spyOn(Math, 'random').mockReturnValue(0.9999);
    await expect((await start())(SLOT, 2_000)).rejects.toMatchObject({
      name: 'PollFailedError',
      message: expect.stringMatching(/linear: http:.* answered 503.*inverse: .*spot: /s),
    });
    expect(emittedBy('ingest')).toMatchObject([
      { PollsSucceeded: 0, PollsFailed: 1, CategoriesFailed: 3, TickersFetched: 0, BatchesWaiting: 0 },
    ]);
  });

  it('refuses an event that names no slot', async () => {
    await expect((await start())('<aws.scheduler.scheduled-time>')).rejects.toThrow(
      'expected an ISO 8601 time',
    );
    // It was none of a poll: Lambda's own Errors count it.
    expect(emittedBy('ingest')).toEqual([]);
  });

  it('says which part of its environment is wrong', async () => {
    await expect(start({ kafka: 'nowhere' })).rejects.toThrow('KAFKA_BROKERS: expected host:port');
  });
});
