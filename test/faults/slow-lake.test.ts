import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emittedBy } from '../emf.ts';
import { startIndex, startIngest } from '../integration/lambdas/handlers.ts';
import { eventOfValues, keysOf } from '../integration/lambdas/stores.ts';
import { services } from '../integration/services.ts';
import { sampleTicker } from '../samples/tickers.ts';
import { type FaultyExchange, startFaultyExchange } from './faulty-exchange.ts';
import { type Fault, type FaultyProxy, type ProxiedRequest, startFaultyProxy } from './faulty-proxy.ts';
import { agreementOn, freshWorld, indexTopic, leaveWorld, verdict, type World } from './world.ts';

const SLOTS = ['2021-03-01T12:00:00.000Z', '2021-03-01T12:02:00.000Z', '2021-03-01T12:04:00.000Z'] as const;
/** What the invocation has. One request of the S3 client alone may take 5 s, and is tried three times. */
const REMAINING_MS = 8_000;

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

/** The failure, which has to come before the invocation's end. */
async function failureInTime(work: Promise<unknown>): Promise<Error> {
  const begunMs = Date.now();
  const failure = await work.then(
    () => new Error('it succeeded'),
    (error: Error) => error,
  );
  expect(Date.now() - begunMs).toBeLessThan(REMAINING_MS);
  return failure;
}

describe('an S3 that does not answer', () => {
  it.each<[what: string, isMeant: (request: ProxiedRequest) => boolean, fault: Fault]>([
    [
      'a read of the marker',
      ({ method, path }) => method === 'GET' && path.includes('/state/'),
      'silenceAfter',
    ],
    ['a listing', ({ path }) => path.includes('list-type=2'), 'silenceAfter'],
    [
      'a write of the batch',
      ({ method, path }) => method === 'PUT' && path.includes('/tickers/'),
      'silenceAfter',
    ],
    [
      'a write of the marker',
      ({ method, path }) => method === 'PUT' && path.includes('/state/'),
      'silenceAfter',
    ],
    [
      'the rest of a batch',
      ({ method, path }) => method === 'GET' && path.includes('/tickers/') && !path.includes('list-type'),
      'silenceWithin',
    ],
  ])(
    '%s: the poll fails before its time is over, says so, and a later one makes up for it',
    async (_, isMeant, fault) => {
      const poll = await startIngest({
        source: { url: exchange.url, categories: ['spot'] },
        s3: proxy.url,
        ...world,
      });
      await poll(SLOTS[0]);
      // The first batch again, from the lake: it is read before anything is produced.
      judge = (request) => (isMeant(request) ? fault : 'none');
      const slot = fault === 'silenceWithin' ? SLOTS[0] : SLOTS[1];
      expect(await failureInTime(poll(slot, REMAINING_MS))).toMatchObject({
        name: 'LakeUnavailableError',
        message: expect.stringContaining('no answer in the time of this invocation'),
      });
      expect(emittedBy('ingest').at(-1)).toMatchObject({ PollsSucceeded: 0, PollsFailed: 1 });
      judge = () => 'none';
      await poll(SLOTS[2]);
      await indexTopic(world);
      const slots = (await keysOf(world.bucket, 'tickers/')).length;
      expect(await verdict(world)).toEqual(agreementOn(3 * slots));
    },
  );

  it('a write of dead letters: the batch fails before its time is over, and is delivered again', async () => {
    const index = await startIndex({ bucket: world.bucket, s3: proxy.url });
    const event = eventOfValues([sampleTicker({ slot: SLOTS[0] }), 'oops']);
    judge = ({ method, path }) =>
      method === 'PUT' && path.includes('/dead-letters/') ? 'silenceAfter' : 'none';
    expect(await failureInTime(index(event, REMAINING_MS))).toMatchObject({ name: 'LakeUnavailableError' });
    judge = () => 'none';
    expect(await index(event)).toMatchObject({ alreadyThere: 1, deadLetters: 1 });
    expect(await keysOf(world.bucket, 'dead-letters/')).toHaveLength(1);
  });
});
