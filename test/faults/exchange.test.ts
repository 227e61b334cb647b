import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emittedBy } from '../emf.ts';
import { startIngest } from '../integration/lambdas/handlers.ts';
import { keysOf, recordsOf } from '../integration/lambdas/stores.ts';
import {
  type Answer,
  body,
  cutInHalf,
  type FaultyExchange,
  halfOfIt,
  SYMBOLS,
  slow,
  startFaultyExchange,
  status,
} from './faulty-exchange.ts';
import { expectIndexed, freshWorld, leaveWorld, type World } from './world.ts';

const slot = (minute: number) => `2021-03-01T12:${String(minute).padStart(2, '0')}:00.000Z`;

let world: World;
let exchange: FaultyExchange;
beforeEach(async () => {
  [world, exchange] = await Promise.all([freshWorld(), startFaultyExchange()]);
});
afterEach(async () => {
  await leaveWorld();
  await exchange.close();
});

const ingest = () => startIngest({ source: { url: exchange.url, categories: ['spot'] }, ...world });

/** The metrics of a poll with three valid tickers. */
const GOOD_POLL = {
  PollsSucceeded: 1,
  PollsFailed: 0,
  CategoriesFailed: 0,
  TickersFetched: 3,
  TickersRejected: 0,
};
/** The metrics of a poll with nothing usable. */
const FAILED_POLL = {
  PollsSucceeded: 0,
  PollsFailed: 1,
  CategoriesFailed: 1,
  TickersFetched: 0,
  LakeBytes: 0,
};

const soon = () => String(Date.now() + 400);

describe('a transient failure of the exchange', () => {
  it.each<[string, () => Answer]>([
    ['answers 500', () => status(500)],
    ['answers 503 and HTML', () => status(503, '<html>')],
    ['answers 429 and names a time', () => status(429, '', { 'x-bapi-limit-reset-timestamp': soon() })],
    [
      'answers API code 10006',
      () => {
        const limit = { retCode: 10006, retMsg: 'Too many visits!', result: {}, time: 1 };
        return status(200, JSON.stringify(limit), { 'x-bapi-limit-reset-timestamp': soon() });
      },
    ],
    ['is cut off in the middle of its answer', () => cutInHalf],
    ['is cut off before its answer', () => (response) => void response.destroy()],
    ['takes half a second', () => slow(500)],
  ])('%s: the poll waits and succeeds', async (_, answer) => {
    exchange.answers = [answer()];
    expect(await (await ingest())(slot(0))).toMatchObject({ produced: 3 });
    expect(emittedBy('ingest')).toMatchObject([GOOD_POLL]);
    await expectIndexed(world, 3);
  });
});

describe('an unusable answer of the exchange', () => {
  it.each<[string, Answer, number]>([
    ['half a JSON', halfOfIt, 1],
    ['something other than JSON', body('<html>maintenance</html>'), 1],
    ['another envelope', body('{"data":[]}'), 1],
    ['a body that is not text', (response) => void response.writeHead(200).end(Buffer.from([0xff, 0xfe])), 1],
    [
      '403 for the region',
      status(403, 'The Amazon CloudFront distribution is configured to block access from your country'),
      0,
    ],
  ])('%s: the poll fails, the answer is kept, and the next poll succeeds', async (_, answer, kept) => {
    exchange.answers = [answer];
    const poll = await ingest();
    await expect(poll(slot(0))).rejects.toMatchObject({ name: 'PollFailedError' });
    expect(await keysOf(world.bucket, 'rejected/')).toHaveLength(kept);
    await poll(slot(2));
    expect(emittedBy('ingest')).toMatchObject([FAILED_POLL, GOOD_POLL]);
    await expectIndexed(world, 3);
  });

  it('an empty list: the poll is suspicious and stores nothing', async () => {
    const poll = await ingest();
    await poll(slot(0));
    exchange.list = [];
    expect(await poll(slot(2))).toMatchObject({ categories: [{ suspicious: expect.any(String) }] });
    expect(emittedBy('ingest')).toMatchObject([
      { ...GOOD_POLL, SuspiciousAnswers: 0 },
      { PollsSucceeded: 1, SuspiciousAnswers: 1, TickersFetched: 0, RecordsProduced: 0 },
    ]);
    expect(emittedBy('ingest')[1]?.RejectedShare).toBe(0);
    await expectIndexed(world, 3);
  });

  it('some malformed tickers: the valid ones are produced, the others are kept', async () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const good = SYMBOLS.map((symbol) => JSON.stringify({ symbol, lastPrice: '1' }));
    const bad = [
      '{"symbol":"A","lastPrice":"oops"}',
      '{"symbol":"B","lastPrice":"1","volume24h":"1e39"}',
      '{"symbol":"C","lastPrice":"-1"}',
      '{"symbol":"D E","lastPrice":"1"}',
      '{"symbol":"BTCUSDT","lastPrice":"2"}',
      `{"symbol":"E","lastPrice":${deep}}`,
      '7',
      'null',
    ];
    const list = `[${[...good, ...bad].join()}]`;
    exchange.answers = [
      body(`{"retCode":0,"retMsg":"OK","result":{"category":"spot","list":${list}},"time":${Date.now()}}`),
    ];
    expect(await (await ingest())(slot(0))).toMatchObject({
      produced: 3,
      categories: [{ fetched: 3, rejected: bad.length }],
    });
    expect(emittedBy('ingest')).toMatchObject([
      { ...GOOD_POLL, TickersRejected: bad.length, RejectedShare: (100 * bad.length) / (3 + bad.length) },
    ]);
    const rejected = await recordsOf<{ reason: string }>(world.bucket, 'rejected/');
    expect(rejected).toHaveLength(bad.length);
    expect(rejected.map(({ reason }) => reason).join('\n')).toMatch(/too large for a float/);
    await expectIndexed(world, 3);
  });
});

describe('an exchange that stays unavailable', () => {
  it('answers 403 "access too frequent": the instance sends no requests until the ban ends', async () => {
    exchange.answers = [status(403, 'access too frequent, please try again later')];
    const poll = await ingest();
    await expect(poll(slot(0))).rejects.toThrow(/too frequent/);
    await expect(poll(slot(2))).rejects.toMatchObject({ name: 'PollFailedError' });
    expect(exchange.requests).toBe(1);
    expect(emittedBy('ingest')).toMatchObject([FAILED_POLL, FAILED_POLL]);
    await expectIndexed(world, 0);
  });

  it('does not answer: the poll gives up in time, and the slot stays empty', async () => {
    exchange.answers = [slow(60_000), slow(60_000), slow(60_000)];
    const poll = await ingest();
    const begunMs = Date.now();
    await expect(poll(slot(0), 3_000)).rejects.toMatchObject({ name: 'PollFailedError' });
    expect(Date.now() - begunMs).toBeLessThan(3_000);
    exchange.answers = [];
    await poll(slot(2));
    expect(emittedBy('ingest')).toMatchObject([FAILED_POLL, GOOD_POLL]);
    expect(emittedBy('ingest')[0]?.PollDuration).toBeGreaterThan(1_000);
    await expectIndexed(world, 3);
  });
});
