import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { poll } from '../../core/ingest/poll.ts';
import type { TickerLake, TickerSource, TickerStream } from '../../core/ingest/ports.ts';
import type { PollReport } from '../../core/ingest/report.ts';
import { type Ticker, tickerId } from '../../core/market/ticker.ts';
import { KAFKA_NO_RETRY } from '../../core/runtime/budgets.ts';
import { createKafka } from '../../stores/kafka/client.ts';
import { KafkaStream } from '../../stores/kafka/stream.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { startIndex } from '../integration/lambdas/handlers.ts';
import { eventOfValues, linesOf } from '../integration/lambdas/stores.ts';
import { s3 } from '../integration/services.ts';
import { SILENT_LOG, sampleTicker } from '../samples/tickers.ts';
import { type BrokerCluster, startBrokers } from './broker-cluster.ts';
import { counts, freshWorld, leaveWorld, type World } from './world.ts';

const SYMBOLS = Array.from({ length: 150 }, (_, index) => `C${index}USDT`);
const FIRST_SLOT_MS = Date.parse('2021-03-01T00:00:00.000Z');

let cluster: BrokerCluster;
let world: World;
let topic: string;
let lake: TickerLake;
/** Called when a poll begins to produce. */
let onProduce: () => void;
let slots: number;
/** What kafkajs logged. */
let warnings: string[];

beforeAll(async () => {
  cluster = await startBrokers();
});
afterAll(() => cluster?.stop());
beforeEach(async () => {
  [world, topic] = await Promise.all([freshWorld(), cluster.freshTopic(6)]);
  onProduce = () => {};
  slots = 0;
  warnings = [];
  lake = new S3Lake(s3, world.bucket);
});
afterEach(leaveWorld);

const source: TickerSource = {
  name: 'bybit',
  exchange: 'bybit',
  categories: ['spot', 'linear'],
  fetch: async (categories, { slot }) =>
    categories.map((category) => {
      const tickers = SYMBOLS.map((symbol) => sampleTicker({ category, symbol, slot, timestamp: slot }));
      return { category, receivedAt: slot, batch: { tickers, rejected: [] } };
    }),
};

/** In one poll. */
const TICKERS = SYMBOLS.length * source.categories.length;

function newStream(): TickerStream {
  const log = { ...SILENT_LOG, warn: (message: string) => void warnings.push(message) };
  const stream = new KafkaStream(createKafka('ingest', cluster.brokers, log, KAFKA_NO_RETRY), topic);
  return {
    produce(...request) {
      onProduce();
      return stream.produce(...request);
    },
  };
}

const nextProduce = () =>
  new Promise<void>((resolve) => {
    onProduce = resolve;
  });

/** Polls the next slot. */
function pollNext(stream: TickerStream, forMs = 20_000): Promise<PollReport> {
  const slot = new Date(FIRST_SLOT_MS + slots++ * 60_000).toISOString();
  const deadlineMs = Date.now() + forMs;
  const budget = { fetchDeadlineMs: deadlineMs, deadlineMs, finishMs: deadlineMs + 2_000 };
  return poll(slot, budget, { source, lake, stream, log: SILENT_LOG, now: Date.now });
}

const idOf = (line: string) => tickerId(JSON.parse(line) as Ticker);

/** Returns the topic's values, which have every id of the lake. */
async function expectNothingLost(): Promise<string[]> {
  const [lines, values] = await Promise.all([linesOf(world.bucket, 'tickers/'), cluster.read(topic)]);
  const inLake = new Set(lines.map(idOf));
  const onTopic = new Set(values.map(idOf));
  expect(inLake.size).toBe(slots * TICKERS);
  expect([...inLake].filter((id) => !onTopic.has(id))).toEqual([]);
  return values;
}

/** Has the index function handle everything that was on the topic. */
async function indexAll(values: readonly string[]): Promise<void> {
  const index = await startIndex({ bucket: world.bucket });
  for (let at = 0; at < values.length; at += 5_000) {
    await index(eventOfValues(values.slice(at, at + 5_000)), 60_000);
  }
}

const failureOf = (work: Promise<unknown>) => work.catch((error: Error) => error) as Promise<Error>;

/** New connections beyond so many in a second are closed, by broker, as MSK does it on T3 brokers. */
function acceptFew(aSecond: number) {
  const accepted = new Map<number, number[]>();
  const connect = net.connect as (options: net.NetConnectOpts, listener: () => void) => net.Socket;
  return vi.spyOn(net, 'connect').mockImplementation(((
    options: net.TcpNetConnectOpts,
    listener: () => void,
  ) => {
    const socket = connect(options, listener);
    const recent = (accepted.get(options.port) ?? []).filter((atMs) => atMs > Date.now() - 1_000);
    if (recent.length >= aSecond) socket.destroy(new Error('closed: too many connections'));
    else accepted.set(options.port, [...recent, Date.now()]);
    return socket;
  }) as typeof net.connect);
}

describe('a Kafka of three brokers', () => {
  it('whose leaders move and whose brokers are killed during 200 polls gets every ticker of the lake', async () => {
    const stream = newStream();
    let killing = true;
    const polling = (async () => {
      while (killing || slots < 200) {
        await failureOf(pollNext(stream));
        // So that the polls last as long as the kills.
        await wait(100);
      }
    })();
    for (const [turn, node] of cluster.nodes.entries()) {
      await cluster.moveLeader(topic, turn);
      await cluster.moveLeader(topic, turn + 3);
      await nextProduce();
      // At another moment of the request each time.
      await wait(turn * 10);
      await node.kill();
      await node.start();
      await cluster.untilInSync(topic);
    }
    killing = false;
    await polling;
    expect(await pollNext(stream)).toMatchObject({ waitingBatches: 0 });
    await indexAll(await expectNothingLost());
    expect(await counts(world)).toEqual({ lakeIds: slots * TICKERS, documents: slots * TICKERS });
  }, 180_000);

  it('with fewer replicas in sync than required refuses the tickers; a poll outlasts it', async () => {
    topic = await cluster.freshTopic(6, { 'min.insync.replicas': '3' });
    const stream = newStream();
    await pollNext(stream);
    const node = cluster.nodes[0];
    await node?.kill();
    await cluster.untilInSync(topic, 2);
    expect(await failureOf(pollNext(stream, 4_000))).toMatchObject({ name: 'StreamUnavailableError' });
    expect(warnings.join()).toContain('there are fewer in-sync replicas than required');
    const polling = pollNext(stream, 60_000);
    await node?.start();
    expect(await polling).toMatchObject({ produced: 2 * TICKERS, waitingBatches: 0 });
    await expectNothingLost();
  }, 120_000);

  it('all of which are down for some polls gets everything from the first poll that lasts until it is back', async () => {
    const stream = newStream();
    await pollNext(stream);
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    for (let polls = 0; polls < 3; polls += 1) {
      const error = await failureOf(pollNext(stream, 1_500));
      expect(error).toMatchObject({ name: 'StreamUnavailableError' });
      expect(error.message).toContain('ECONNREFUSED');
    }
    const polling = pollNext(stream, 60_000);
    await Promise.all(cluster.nodes.map((node) => node.start()));
    expect(await polling).toMatchObject({ produced: 4 * TICKERS, waitingBatches: 0 });
    await expectNothingLost();
  }, 120_000);

  it('each of which accepts four new connections a second gets everything from many functions that start cold', async () => {
    const functions = 16;
    const connections = acceptFew(4);
    try {
      const records = SYMBOLS.map((key) => ({ key, value: key }));
      const deadlineMs = Date.now() + 85_000;
      await Promise.all(Array.from({ length: functions }, () => newStream().produce(records, deadlineMs)));
      expect(connections.mock.calls.length).toBeGreaterThan(4 * functions);
    } finally {
      connections.mockRestore();
    }
    expect(await cluster.read(topic)).toHaveLength(functions * SYMBOLS.length);
  }, 100_000);

  it('whose topic is given more partitions between two polls gets everything, on all partitions', async () => {
    const warm = newStream();
    await pollNext(warm);
    for (const count of [8, 12]) {
      await cluster.admin.createPartitions({ topicPartitions: [{ topic, count }] });
      // Not every broker knows the new partitions yet.
      await pollNext(newStream());
      await pollNext(warm);
    }
    await cluster.untilInSync(topic);
    await pollNext(newStream());
    await expectNothingLost();
    const ends = await cluster.admin.fetchTopicOffsets(topic);
    expect(ends).toHaveLength(12);
    for (const { high } of ends) expect(Number(high)).toBeGreaterThan(0);
  });
});
