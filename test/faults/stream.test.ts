import { logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startKafka } from '../../local/engines/kafka.ts';
import {
  type KafkaEventSource,
  startKafkaEventSource,
} from '../../local/event-sources/kafka-event-source.ts';
import { Kafka } from '../../stores/kafka/kafkajs.ts';
import { emittedBy } from '../emf.ts';
import { startIndex, startIngest } from '../integration/lambdas/handlers.ts';
import { jsonOf, keysOf } from '../integration/lambdas/stores.ts';
import { SILENT_LOG } from '../samples/tickers.ts';
import { type FaultyExchange, startFaultyExchange } from './faulty-exchange.ts';
import { type MortalEngine, startMortal } from './own-engines.ts';
import { counts, expectAgreement, freshWorld, leaveWorld, until, type World } from './world.ts';

const slot = (minute: number) => `2021-03-01T12:${String(minute).padStart(2, '0')}:00.000Z`;
/** Many times what fits one request. */
const MANY = 12_000;

let kafka: MortalEngine;
let world: World;
let exchange: FaultyExchange;
let source: KafkaEventSource;
beforeAll(async () => {
  kafka = await startMortal('kafka', startKafka);
});
afterAll(() => kafka.stop());
beforeEach(async () => {
  [world, exchange] = await Promise.all([freshWorld(), startFaultyExchange()]);
  const admin = new Kafka({ brokers: [kafka.url], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: world.topic, numPartitions: 3 }], waitForLeaders: true });
  await admin.disconnect();
  const index = await startIndex({ bucket: world.bucket, partialBatchResponse: true });
  source = startKafkaEventSource({
    brokers: [kafka.url],
    topic: world.topic,
    groupId: `index-${world.topic}`,
    invoke: (event) => index(event, 30_000),
    partialBatchResponse: true,
    bisectOnError: true,
    log: SILENT_LOG,
  });
});
afterEach(async () => {
  await source.stop();
  await leaveWorld();
  await exchange.close();
});

const ingest = () =>
  startIngest({ source: { url: exchange.url, categories: ['spot'] }, kafka: kafka.url, ...world });

const listOf = (symbols: number) =>
  Array.from({ length: symbols }, (_, index) => ({
    symbol: `C${index}USDT`,
    lastPrice: String(index + 1),
    // As in real tickers.
    volume24h: '243765620.65899866',
    turnover24h: '6589986.24376562',
  }));

/** Waits for the index, then compares it with the lake. */
async function expectArrived(ids: number): Promise<void> {
  // An index cannot be searched while it is being created.
  const documents = () =>
    counts(world).then(
      (found) => found.documents,
      () => 0,
    );
  await until(async () => (await documents()) >= ids);
  await expectAgreement(world, ids);
}

describe('Kafka', () => {
  it('stopped for some polls: the lake stores them, and the first poll afterwards produces them all', async () => {
    const poll = await ingest();
    await poll(slot(0));
    await kafka.stop();
    for (const minute of [2, 4]) {
      await expect(poll(slot(minute), 2_500)).rejects.toMatchObject({ name: 'StreamUnavailableError' });
    }
    expect(await keysOf(world.bucket, 'tickers/')).toHaveLength(3);
    await kafka.start();
    const report = await poll(slot(6));
    expect(report).toMatchObject({ produced: 9, backlogBatches: 2, waitingBatches: 0 });
    expect(emittedBy('ingest')).toMatchObject([
      { PollsSucceeded: 1, PollsFailed: 0, RecordsProduced: 3, BatchesWaiting: 0 },
      { PollsSucceeded: 0, PollsFailed: 1, TickersFetched: 3, RecordsProduced: 0, BatchesWaiting: 1 },
      { PollsSucceeded: 0, PollsFailed: 1, TickersFetched: 3, RecordsProduced: 0, BatchesWaiting: 2 },
      { PollsSucceeded: 1, PollsFailed: 0, RecordsProduced: 9, BatchesWaiting: 0 },
    ]);
    // The lake stored all of them, so no category failed.
    for (const values of emittedBy('ingest')) {
      expect(values).toMatchObject({ CategoriesFailed: 0 });
      expect(values.LakeBytes).toBeGreaterThan(0);
    }
    await expectArrived(12);
  });

  it('stopped between the lake and the stream: a retry of the same slot produces it', async () => {
    const poll = await ingest();
    await poll(slot(0));
    await kafka.stop();
    await expect(poll(slot(2), 2_500)).rejects.toMatchObject({ name: 'StreamUnavailableError' });
    await kafka.start();
    expect(await poll(slot(2))).toMatchObject({ produced: 3, categories: [{ status: 'alreadyInLake' }] });
    expect(emittedBy('ingest').slice(1)).toMatchObject([
      { PollsFailed: 1, BatchesWaiting: 1 },
      { PollsSucceeded: 1, TickersFetched: 0, LakeBytes: 0, RecordsProduced: 3, BatchesWaiting: 0 },
    ]);
    await expectArrived(6);
  });

  it('killed during a batch: the whole batch is produced again and stored once', async () => {
    exchange.list = listOf(MANY);
    const poll = await ingest();
    const killed = until(async () => (await keysOf(world.bucket, 'tickers/')).length > 0).then(() =>
      kafka.kill(),
    );
    const first = await poll(slot(0), 4_000).then(
      () => 'done' as const,
      (error: Error) => error.name,
    );
    await killed;
    await kafka.start();
    // If the kill came late, the poll may have been acknowledged already.
    expect(['StreamUnavailableError', 'done']).toContain(first);
    await poll(slot(0));
    expect(emittedBy('ingest')).toMatchObject([
      first === 'done' ? { PollsSucceeded: 1 } : { PollsFailed: 1, BatchesWaiting: 1 },
      { PollsSucceeded: 1, RecordsProduced: MANY, BatchesWaiting: 0 },
    ]);
    expect(await jsonOf(world.bucket, 'state/exchange=bybit/category=spot.json')).toMatchObject({
      beyond: [slot(0)],
      tickers: MANY,
    });
    await expectArrived(MANY);
  }, 90_000);
});
