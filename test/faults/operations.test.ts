import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { Partitioners } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Ticker, tickerId } from '../../core/market/ticker.ts';
import type { Check } from '../../core/operate/doctor/check.ts';
import type { Difference } from '../../core/operate/hour-tally.ts';
import type { RedriveOutput } from '../../core/operate/redrive.ts';
import type { ReplayOutput } from '../../core/operate/replay.ts';
import type { VerifyOutput } from '../../core/operate/verify.ts';
import { invocationRecord } from '../../local/event-sources/invocation-record.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { startIndex, startOperate } from '../integration/lambdas/handlers.ts';
import { deadAddress } from '../integration/lambdas/local-servers.ts';
import { eventOfValues, keysOf, readTopic, recordsOf } from '../integration/lambdas/stores.ts';
import { kafka, openSearch, s3 } from '../integration/services.ts';
import { sampleTicker } from '../samples/tickers.ts';
import {
  agreementOn,
  counts,
  expectAgreement,
  fillLake,
  freshWorld,
  indexTickers,
  indexTopic,
  leaveWorld,
  putObject,
  verdict,
  type World,
} from './world.ts';

const HOUR = '2021-03-01T12:00:00.000Z';
const SLOTS = ['2021-03-01T12:00:00.000Z', '2021-03-01T12:02:00.000Z', '2021-03-01T13:00:00.000Z'];
const SYMBOLS = ['A', 'B', 'C'];

let world: World;
let lake: S3Lake;
beforeEach(async () => {
  world = await freshWorld();
  lake = new S3Lake(s3, world.bucket);
});
afterEach(leaveWorld);

const ticker = (symbol: string, slot: string, given: Partial<Ticker> = {}) =>
  sampleTicker({ symbol, slot, ...given });

/** Three symbols in three slots of two hours, and the same in another category: 18 tickers. */
async function filledLake(): Promise<Ticker[]> {
  const all = (['spot', 'linear'] as const).flatMap((category) =>
    SLOTS.flatMap((slot) => SYMBOLS.map((symbol) => ticker(symbol, slot, { category }))),
  );
  await fillLake(world, all);
  return all;
}

async function differences(input: object = {}, sliceMs?: number): Promise<Difference[]> {
  const operate = await startOperate(world);
  return (await operate<VerifyOutput>('verify', { patienceMs: 0, ...input }, sliceMs)).flatMap(
    (slice) => slice.differences,
  );
}

describe('verify', () => {
  it('finds that lake and index agree', async () => {
    await indexTickers(world, await filledLake());
    await expectAgreement(world, 18);
  });

  it('finds nothing wrong when there is no data', async () => {
    expect(await verdict(world)).toEqual(agreementOn(0));
  });

  it('names the series, the hour and the id of a missing document', async () => {
    const all = await filledLake();
    const missing = ticker('B', SLOTS[1] as string);
    await indexTickers(
      world,
      all.filter((each) => tickerId(each) !== tickerId(missing)),
    );
    expect(await differences()).toEqual([
      {
        exchange: 'bybit',
        category: 'spot',
        symbol: 'B',
        hour: HOUR,
        lake: 2,
        index: 1,
        missing: 1,
        extra: 0,
        examples: [tickerId(missing)],
      },
    ]);
  });

  it('is not fooled by the right number of documents with other ids', async () => {
    const all = await filledLake();
    await indexTickers(world, all.slice(1));
    const [first] = all as [Ticker];
    const document = { index: 'tickers-2021.03', id: 'something-else', body: first, refresh: true };
    await openSearch.index({ ...document, body: { ...first } });
    expect(await differences()).toMatchObject([
      { symbol: 'A', hour: HOUR, lake: 2, index: 2, missing: 1, extra: 1 },
    ]);
  });

  it('finds a document that two indices contain', async () => {
    const all = await filledLake();
    await indexTickers(world, all);
    const [first] = all as [Ticker];
    await openSearch.index({
      index: 'tickers-2021.04',
      id: tickerId(first),
      body: { ...first },
      refresh: true,
    });
    expect(await differences()).toMatchObject([{ symbol: 'A', missing: 0, extra: 1 }]);
  });

  it('finds documents of markets and times that are not in the lake', async () => {
    await indexTickers(world, [
      ...(await filledLake()),
      ticker('A', '2021-02-01T00:00:00.000Z'),
      ticker('A', HOUR, { exchange: 'okx' }),
    ]);
    expect(await differences()).toMatchObject([
      { exchange: 'bybit', hour: '2021-02-01T00:00:00.000Z', lake: 0, extra: 1 },
      { exchange: 'okx', hour: HOUR, lake: 0, extra: 1 },
    ]);
  });

  it('finds documents without a series', async () => {
    await openSearch.index({ index: 'tickers-2021.03', body: { note: 'stray' }, refresh: true });
    expect(await verdict(world)).toMatchObject({
      agree: false,
      problems: ['1 documents lack exchange, category, symbol or slot'],
    });
  });

  it('ignores everything outside its range', async () => {
    await indexTickers(
      world,
      (await filledLake()).filter(({ slot }) => slot !== SLOTS[2]),
    );
    expect(await differences({ to: SLOTS[2] })).toEqual([]);
    expect(await differences({ from: SLOTS[2] })).toHaveLength(6);
    expect(await differences({ exchange: 'okx' })).toEqual([]);
  });

  it('finds the same in the shortest possible slices', async () => {
    await filledLake();
    const whole = await differences();
    expect(whole).toHaveLength(12);
    expect(await differences({}, 1)).toEqual(whole);
  });

  it('waits for tickers that are on their way', async () => {
    const all = await filledLake();
    await indexTickers(world, all.slice(0, 10));
    const [verdictAfterAll] = await Promise.all([verdict(world), indexTickers(world, all.slice(10))]);
    expect(verdictAfterAll).toEqual(agreementOn(18));
  });

  it('reports what it cannot read in the lake, and compares the rest', async () => {
    const all = await filledLake();
    const folder = 'tickers/exchange=bybit/category=spot/dt=2021-03-01/hour=12/';
    await putObject(world, `${folder}${Date.parse(HOUR) + 60_000}.ndjson.gz`, 'no gzip');
    await putObject(world, `${folder}${Date.parse(HOUR) + 61_000}.ndjson.gz`, gzipSync('oops\n'));
    await putObject(world, `${folder}notes.txt`, 'hello');
    await indexTickers(world, all);
    const { problems, ...rest } = await verdict(world);
    expect(rest).toMatchObject({ agree: false, lakeIds: 18, documents: 18, missing: 0, extra: 0 });
    expect(problems).toEqual([
      expect.stringContaining('cannot be read: incorrect header check'),
      expect.stringContaining('line 1: not JSON'),
      expect.stringContaining('notes.txt is not a batch of tickers'),
    ]);
  });
});

describe('replay', () => {
  const replay = async (input: object, sliceMs?: number): Promise<ReplayOutput[]> =>
    (await startOperate(world))<ReplayOutput>('replay', input, sliceMs);

  it('restores a deleted index, straight to OpenSearch', async () => {
    await filledLake();
    expect(await replay({ direct: true })).toEqual([
      { batches: 6, tickers: 18, indexed: 18, alreadyThere: 0, problems: [] },
    ]);
    expect(await replay({ direct: true })).toMatchObject([{ indexed: 0, alreadyThere: 18 }]);
    expect(await verdict(world)).toEqual(agreementOn(18));
  });

  it('restores a deleted index through Kafka', async () => {
    await filledLake();
    await replay({});
    expect(await readTopic(world.topic)).toHaveLength(18);
    await indexTopic(world);
    expect(await verdict(world)).toEqual(agreementOn(18));
  });

  it('replays only the given range and exchange', async () => {
    await filledLake();
    const [output] = await replay({ direct: true, from: SLOTS[1], to: SLOTS[2], exchange: 'bybit' });
    expect(output).toMatchObject({ batches: 2, tickers: 6 });
    expect(await replay({ direct: true, exchange: 'okx' })).toMatchObject([{ tickers: 0 }]);
  });

  it('indexes each ticker once, in the shortest possible slices', async () => {
    await filledLake();
    const outputs = await replay({ direct: true }, 1);
    expect(outputs.reduce((sum, { indexed }) => sum + indexed, 0)).toBe(18);
    expect(outputs.reduce((sum, { alreadyThere }) => sum + alreadyThere, 0)).toBe(0);
  });

  it('reports what cannot be indexed, and indexes the rest', async () => {
    await filledLake();
    const refused = { ...ticker('A', HOUR), _id: 'of OpenSearch itself' };
    const key = { exchange: 'bybit', category: 'inverse', slotMs: Date.parse(HOUR) } as const;
    await lake.putTickers(key, [JSON.stringify(refused), '{"v":1}', 'oops']);
    const [output] = await replay({ direct: true });
    expect(output).toMatchObject({ indexed: 18 });
    expect(output?.problems).toEqual([
      expect.stringMatching(/^exchange: .* in {"v":1}$/),
      expect.stringContaining('not JSON'),
      expect.stringContaining('mapper_parsing_exception'),
    ]);
  });

  it('fails while OpenSearch is down, and says that it can continue', async () => {
    await filledLake();
    const operate = await startOperate({ ...world, openSearch: `http://${await deadAddress()}` });
    await expect(operate('replay', { direct: true }, 1)).rejects.toThrow(/continues where it stopped/);
  });
});

describe('redrive', () => {
  const redrive = async (input: object = {}): Promise<RedriveOutput | undefined> =>
    (await (await startOperate(world))<RedriveOutput>('redrive', input))[0];
  /** Refused by the index until its mapping is fixed. */
  const refused = () => ({ ...ticker('A', HOUR), odd: { deep: 1 } });

  async function makeDeadLetters() {
    const body = { mappings: { properties: { odd: { type: 'long' } } } };
    await openSearch.indices.create({ index: 'tickers-2021.03', body: body as object });
    const values = [ticker('B', HOUR), refused() as Ticker, 'oops'];
    await (await startIndex({ bucket: world.bucket }))(eventOfValues(values));
    await lake.putTickers({ exchange: 'bybit', category: 'spot', slotMs: Date.parse(HOUR) }, [
      JSON.stringify(ticker('B', HOUR)),
      JSON.stringify(refused()),
    ]);
  }

  it('after the fix, moves what it indexes and keeps what is still refused', async () => {
    await makeDeadLetters();
    expect(await verdict(world, { patienceMs: 0 })).toMatchObject({ missing: 1 });
    expect(await redrive()).toMatchObject({ letters: 2, indexed: 0, stay: [{ errorType: 'poison' }, {}] });
    expect(await keysOf(world.bucket, 'redriven/')).toEqual([]);

    await openSearch.indices.delete({ index: 'tickers-2021.03' });
    await indexTickers(world, [ticker('B', HOUR)]);
    expect(await redrive()).toMatchObject({ letters: 2, indexed: 1, stay: [{ position: 'tickers-0-2' }] });
    expect(await recordsOf(world.bucket, 'redriven/')).toMatchObject([{ offset: 1 }]);
    expect(await recordsOf(world.bucket, 'dead-letters/')).toMatchObject([{ offset: 2 }]);
    expect(await verdict(world)).toEqual(agreementOn(2));
  });

  it('only reports what it would do in a dry run', async () => {
    await makeDeadLetters();
    const before = await recordsOf(world.bucket, 'dead-letters/');
    expect(await redrive({ dryRun: true })).toMatchObject({
      letters: 2,
      tried: 1,
      stay: [{ errorType: 'poison' }],
    });
    expect(await recordsOf(world.bucket, 'dead-letters/')).toEqual(before);
  });

  it('ignores letters first seen before the given time', async () => {
    await makeDeadLetters();
    expect(await redrive({ since: new Date(Date.now() + 60_000).toISOString() })).toMatchObject({
      letters: 0,
    });
  });

  it('reports and leaves objects that are not dead letters', async () => {
    await putObject(world, 'dead-letters/dt=2021-03-01/notes.txt', 'hello');
    await putObject(world, 'dead-letters/dt=2021-03-01/other.ndjson.gz', gzipSync('{"v":2}\n'));
    const output = await redrive();
    expect(output?.problems).toEqual([
      expect.stringContaining('notes.txt cannot be read'),
      expect.stringContaining('other.ndjson.gz cannot be read'),
    ]);
    expect(await keysOf(world.bucket, 'dead-letters/')).toHaveLength(2);
  });

  describe('of batches that Lambda gave up', () => {
    const KEY = 'aws/lambda/mapping/tickers/2021/03/01/2021-03-01T12.10.00-1';
    const GIVEN_UP_AT = new Date('2021-03-01T12:10:00.000Z');

    async function giveUp(values: Parameters<typeof eventOfValues>[0]) {
      const records = Object.values(eventOfValues(values).records).flat();
      const record = invocationRecord(
        records,
        { condition: 'RecordAgeExceeded', invokeCount: 3, error: new Error('OpenSearch was away') },
        {
          eventSourceArn: 'arn:aws:kafka:us-east-1:0:cluster/test/1',
          bootstrapServers: 'test:9092',
          functionName: 'index',
          requestId: '1',
          now: GIVEN_UP_AT,
        },
      );
      await putObject(world, KEY, JSON.stringify(record));
    }

    it('indexes their records, makes the rest dead letters, and deletes the batch', async () => {
      await giveUp([ticker('A', HOUR), ticker('B', HOUR), 'oops']);
      await indexTickers(world, [ticker('A', HOUR)]);
      expect(await redrive()).toMatchObject({
        batches: 1,
        batchRecords: 3,
        tried: 3,
        indexed: 1,
        alreadyThere: 1,
        stay: [{ position: 'tickers-0-2', errorType: 'poison' }],
      });
      expect(await keysOf(world.bucket, 'aws/lambda/')).toEqual([]);
      expect(await recordsOf(world.bucket, 'dead-letters/')).toMatchObject([{ offset: 2 }]);
      expect(await counts(world)).toMatchObject({ documents: 2 });
    });

    it('only counts them in a dry run, and ignores those before the given time', async () => {
      await giveUp([ticker('A', HOUR)]);
      expect(await redrive({ dryRun: true })).toMatchObject({ batches: 1, batchRecords: 1, indexed: 0 });
      const since = new Date(GIVEN_UP_AT.getTime() + 1).toISOString();
      expect(await redrive({ since })).toMatchObject({ batches: 0, indexed: 0 });
      expect(await keysOf(world.bucket, 'aws/lambda/')).toEqual([KEY]);
    });

    it('keeps the batch while OpenSearch is down', async () => {
      await giveUp([ticker('A', HOUR)]);
      const operate = await startOperate({ ...world, openSearch: `http://${await deadAddress()}` });
      await expect(operate('redrive', {}, 1)).rejects.toThrow('They stay; run redrive again');
      expect(await keysOf(world.bucket, 'aws/lambda/')).toEqual([KEY]);
    });

    it('reports and leaves objects that are not batches', async () => {
      await putObject(world, KEY, '{"payload":"{}"}');
      expect((await redrive())?.problems).toEqual([expect.stringContaining(`${KEY} cannot be read`)]);
      expect(await keysOf(world.bucket, 'aws/lambda/')).toEqual([KEY]);
    });
  });

  it('counts what an earlier redrive indexed before it was killed', async () => {
    await makeDeadLetters();
    await openSearch.indices.delete({ index: 'tickers-2021.03' });
    await indexTickers(world, [refused() as Ticker]);
    expect(await redrive()).toMatchObject({ indexed: 0, alreadyThere: 1 });
    expect(await keysOf(world.bucket, 'redriven/')).toHaveLength(1);
  });
});

describe('doctor', () => {
  const doctor = async (given: Partial<Parameters<typeof startOperate>[0]> = {}, input: object = {}) => {
    const [checks = []] = await (await startOperate({ ...world, ...given }))<Check[]>('doctor', input);
    return Object.fromEntries(checks.map(({ name, ...check }) => [name, check]));
  };

  it('finds nothing wrong with a healthy pipeline', async () => {
    await indexTickers(world, await filledLake());
    const hourMs = Date.parse(HOUR);
    const marker = { throughMs: hourMs - 1, beyondMs: [hourMs], tickers: 3 };
    await lake.writeMarker({ exchange: 'bybit', category: 'spot' }, marker);
    const found = await doctor({}, { now: '2021-03-01T13:01:00Z', collecting: false });
    expect(Object.values(found).map(({ status }) => status)).toEqual(Array(11).fill('ok'));
    expect(found['last slot ingested']?.finding).toBe(`bybit spot ${HOUR} (3 tickers)`);
    expect(found['last slot indexed']?.finding).toBe(`bybit linear ${SLOTS[2]}; bybit spot ${SLOTS[2]}`);
    expect(await keysOf(world.bucket, 'state/')).toEqual(['state/exchange=bybit/category=spot.json']);
    expect(await keysOf(world.bucket, 'probe/')).toEqual([]);
  });

  it('reports how far the index is behind and how old the data is', async () => {
    const all = await filledLake();
    await indexTickers(
      world,
      all.filter(({ slot }) => slot === HOUR),
    );
    const found = await doctor({}, { now: '2021-03-01T15:00:00Z' });
    expect(found['last slot indexed']).toMatchObject({
      status: 'warn',
      finding: 'bybit linear 60 min behind the lake; bybit spot 60 min behind the lake',
    });
    expect(found.freshness).toMatchObject({
      status: 'fail',
      finding:
        'the last slots at 2021-03-01T15:00:00.000Z: bybit linear: 120 min old, bybit spot: 120 min old',
    });
  });

  it('takes a topic for consumed if offsets are committed, also by pollers that do not join the group', async () => {
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    const admin = kafka.admin();
    await Promise.all([producer.connect(), admin.connect()]);
    try {
      await producer.send({ topic: world.topic, messages: Array(1_000).fill({ value: 'a' }) });
      let looked = false;
      const looking = doctor().finally(() => {
        looked = true;
      });
      for (let offset = 1; !looked; offset++) {
        const partitions = [{ partition: 0, offset: String(offset) }];
        await admin.setOffsets({ groupId: 'index', topic: world.topic, partitions });
        await wait(100);
      }
      expect((await looking)['consumer lag']).toMatchObject({
        status: 'ok',
        finding: expect.stringMatching(/^\d+ records of group index, \d+ committed$/),
      });
    } finally {
      await Promise.all([producer.disconnect(), admin.disconnect()]);
    }
  });

  it('says which market has stopped, judging each by its own sampling interval', async () => {
    const at = (exchange: string, minute: number) =>
      lake.putTickers({ exchange, category: 'spot', slotMs: Date.parse(HOUR) + minute * 60_000 }, ['{}']);
    await Promise.all([at('kraken', 0), at('okx', 58), at('left', -600)]);
    const samplingIntervals = { 'kraken:spot': 1_800_000, 'okx:spot': 120_000, 'gate:spot': 120_000 };
    const environment = { exchanges: ['kraken', 'okx'], samplingIntervals };
    const now = { now: '2021-03-01T13:00:00Z' };
    expect((await doctor(environment, now)).freshness).toMatchObject({
      status: 'ok',
      finding: 'the last slots at 2021-03-01T13:00:00.000Z: kraken spot: 60 min old, okx spot: 2 min old',
    });
    const stopped = { ...environment, samplingIntervals: { ...samplingIntervals, 'kraken:spot': 120_000 } };
    expect((await doctor(stopped, now)).freshness).toMatchObject({ status: 'fail' });
    const missing = { ...environment, exchanges: ['okx', 'gate'] };
    expect((await doctor(missing, now)).freshness).toMatchObject({
      status: 'fail',
      finding: expect.stringContaining('gate spot: nothing'),
    });
  });

  it('warns of dead letters', async () => {
    await (await startIndex({ bucket: world.bucket }))(eventOfValues(['oops']));
    expect((await doctor())['dead letters']).toMatchObject({
      status: 'warn',
      finding: 'dead letters in 1 objects, batches that Lambda gave up: 0',
    });
  });

  it('finds a missing template', async () => {
    const name = 'crypto-market-insights-tickers';
    const { body } = await openSearch.indices.getIndexTemplate({ name });
    await openSearch.indices.deleteIndexTemplate({ name });
    try {
      expect((await doctor())['index templates']).toMatchObject({
        status: 'fail',
        finding: `missing: ${name}`,
      });
    } finally {
      const template = body.index_templates[0]?.index_template as unknown as Record<string, unknown>;
      await openSearch.indices.putIndexTemplate({ name, body: template });
    }
  });

  it('fails exactly the checks whose server is down', async () => {
    const away = { kafka: await deadAddress(), openSearch: `http://${await deadAddress()}` };
    const found = await doctor({ ...away, topic: 'none' });
    const failed = Object.entries(found).filter(([, { status }]) => status === 'fail');
    expect(failed.map(([name]) => name)).toEqual([
      'Kafka',
      'topic',
      'consumer lag',
      'OpenSearch',
      'index templates',
      'columns',
      'last slot indexed',
    ]);
    for (const [, { finding, advice }] of failed) {
      expect(finding).toMatch(/ECONNREFUSED|connect/i);
      expect(advice).toBeTruthy();
    }
  });

  it('fails without a bucket', async () => {
    await s3.send(
      new DeleteObjectCommand({ Bucket: world.bucket, Key: 'state/exchange=bybit/category=spot.json' }),
    );
    expect((await doctor({ bucket: 'no-such-bucket' })).lake).toMatchObject({ status: 'fail' });
  });
});
