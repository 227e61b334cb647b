import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emittedBy } from '../emf.ts';
import { type IngestEnvironment, startIndex, startIngest } from '../integration/lambdas/handlers.ts';
import { eventOfValues, jsonOf, keysOf, readTopic } from '../integration/lambdas/stores.ts';
import { services } from '../integration/services.ts';
import { sampleTicker } from '../samples/tickers.ts';
import { type FaultyExchange, startFaultyExchange } from './faulty-exchange.ts';
import { type Fault, type FaultyProxy, type ProxiedRequest, startFaultyProxy } from './faulty-proxy.ts';
import {
  agreementOn,
  expectIndexed,
  freshWorld,
  indexTopic,
  leaveWorld,
  putObject,
  verdict,
  type World,
} from './world.ts';

const SLOTS = ['2021-03-01T12:00:00.000Z', '2021-03-01T12:02:00.000Z', '2021-03-01T12:04:00.000Z'] as const;

let world: World;
let exchange: FaultyExchange;
let proxy: FaultyProxy;
/** Decides the fault for each request to S3. */
let judge: (request: ProxiedRequest) => Fault;
beforeEach(async () => {
  judge = () => 'none';
  [world, exchange, proxy] = await Promise.all([
    freshWorld(),
    startFaultyExchange(),
    startFaultyProxy(services.s3, (request) => judge(request)),
  ]);
});
afterEach(async () => {
  await leaveWorld();
  await Promise.all([exchange.close(), proxy.close()]);
});

const ingest = (given: Partial<IngestEnvironment> = {}) =>
  startIngest({ source: { url: exchange.url, categories: ['spot'] }, s3: proxy.url, ...world, ...given });

const isPutOf = (prefix: string) => (request: ProxiedRequest) =>
  request.method === 'PUT' && request.path.includes(`/${prefix}`);

/** The fault for the first matching requests, none for the others. */
function first(times: number, isMeant: (request: ProxiedRequest) => boolean, fault: Fault) {
  let left = times;
  return (request: ProxiedRequest): Fault => {
    if (left === 0 || !isMeant(request)) return 'none';
    left -= 1;
    return fault;
  };
}

const s3Error = (status: number, code: string): Fault => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
});

describe('an S3 that rejects a batch', () => {
  it.each([
    [503, 'SlowDown'],
    [500, 'InternalError'],
    [409, 'ConditionalRequestConflict'],
  ])('with %d %s at first: the poll retries and succeeds', async (status, code) => {
    judge = first(2, isPutOf(`${world.bucket}/tickers/`), s3Error(status, code));
    expect(await (await ingest())(SLOTS[0])).toMatchObject({ produced: 3 });
    await expectIndexed(world, 3);
  });

  it('permanently: nothing is produced, the error names the bucket and the remedy, a retry of the slot stores it', async () => {
    judge = (request) => (request.path.includes(world.bucket) ? s3Error(403, 'AccessDenied') : 'none');
    const poll = await ingest();
    await expect(poll(SLOTS[0])).rejects.toMatchObject({
      name: 'LakeUnavailableError',
      message: expect.stringMatching(
        new RegExp(`bucket ${world.bucket}\\): AccessDenied.*Check the role's permissions`),
      ),
    });
    expect(await readTopic(world.topic)).toEqual([]);
    judge = () => 'none';
    await poll(SLOTS[0]);
    expect(emittedBy('ingest')).toMatchObject([
      { PollsSucceeded: 0, PollsFailed: 1, CategoriesFailed: 1, LakeBytes: 0, RecordsProduced: 0 },
      { PollsSucceeded: 1, PollsFailed: 0, CategoriesFailed: 0, RecordsProduced: 3 },
    ]);
    await expectIndexed(world, 3);
  });
});

describe('an S3 whose answer is lost', () => {
  it('after storing the batch: the poll finds and produces it', async () => {
    judge = first(1, isPutOf(`${world.bucket}/tickers/`), 'cutAfter');
    const report = await (await ingest())(SLOTS[0]);
    expect(report).toMatchObject({ produced: 3, categories: [{ status: 'alreadyInLake' }] });
    await expectIndexed(world, 3);
  });

  it('after storing the marker: the marker is written again', async () => {
    const poll = await ingest();
    await poll(SLOTS[0]);
    judge = first(1, isPutOf(`${world.bucket}/state/`), 'cutAfter');
    await poll(SLOTS[1]);
    expect(await jsonOf(world.bucket, 'state/exchange=bybit/category=spot.json')).toMatchObject({
      beyond: [SLOTS[0], SLOTS[1]],
    });
    await expectIndexed(world, 6);
  });
});

describe('one slot, polled several times at once', () => {
  it('is stored once, by the first poll', async () => {
    const polls = [await ingest(), await ingest(), await ingest()];
    await Promise.all(polls.map((poll) => poll(SLOTS[0])));
    await expectIndexed(world, 3);
  });
});

describe('an unreadable object of the lake', () => {
  it('blocks nothing after it, is reported, and is kept unchanged', async () => {
    const folder = 'tickers/exchange=bybit/category=spot/dt=2021-03-01/hour=12/';
    const key = `${folder}${Date.parse(SLOTS[1])}.ndjson.gz`;
    const poll = await ingest();
    await poll(SLOTS[0]);
    await putObject(world, key, 'this is no gzip');
    const report = await poll(SLOTS[2]);
    expect(report).toMatchObject({ produced: 3, unreadable: [expect.stringContaining(key)] });
    expect(await poll(SLOTS[2])).not.toHaveProperty('unreadable');
    expect(emittedBy('ingest').map(({ UnreadableInLake }) => UnreadableInLake)).toEqual([0, 1, 0]);
    expect(await keysOf(world.bucket, 'tickers/')).toContain(key);
    await indexTopic(world);
    expect(await verdict(world)).toEqual({
      ...agreementOn(6),
      agree: false,
      problems: [expect.stringContaining(key)],
    });
  });

  it('with one broken line: the other lines are produced', async () => {
    const good = JSON.stringify(sampleTicker({ slot: SLOTS[0] }));
    const key = `tickers/exchange=bybit/category=spot/dt=2021-03-01/hour=12/${Date.parse(SLOTS[0])}.ndjson.gz`;
    await putObject(world, key, gzipSync(`${good}\n{"half\n`));
    expect(await (await ingest())(SLOTS[1])).toMatchObject({
      produced: 4,
      unreadable: [expect.stringContaining(`${key}, line 2: not JSON: `)],
    });
  });
});

describe('dead letters that cannot be stored', () => {
  it('have the batch delivered again, with nothing lost or duplicated', async () => {
    judge = (request) =>
      isPutOf(`${world.bucket}/dead-letters/`)(request) ? s3Error(403, 'AccessDenied') : 'none';
    const index = await startIndex({ bucket: world.bucket, s3: proxy.url });
    const event = eventOfValues([sampleTicker({ slot: SLOTS[0] }), 'oops']);
    await expect(index(event)).rejects.toThrow(/^dead-letters.* could not be written .*AccessDenied/);
    judge = () => 'none';
    expect(await index(event)).toMatchObject({ alreadyThere: 1, deadLetters: 1 });
    judge = first(1, isPutOf(`${world.bucket}/dead-letters/`), 'cutAfter');
    await index(event);
    expect(await keysOf(world.bucket, 'dead-letters/')).toHaveLength(1);
    expect(emittedBy('index')).toMatchObject([
      { RecordsReceived: 2, RecordsUnstored: 2, DeadLetters: 0 },
      { RecordsUnstored: 0, DocumentsAlreadyThere: 1, DeadLetters: 1 },
      { RecordsUnstored: 0, DocumentsAlreadyThere: 1, DeadLetters: 1 },
    ]);
  });
});
