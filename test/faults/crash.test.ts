import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { indexBatch } from '../../core/index/index-batch.ts';
import { poll } from '../../core/ingest/poll.ts';
import { type Ticker, tickerId } from '../../core/market/ticker.ts';
import type { OperationServices } from '../../core/operate/operation.ts';
import { redrive } from '../../core/operate/redrive.ts';
import { createSource } from '../../exchanges/http/ticker-source.ts';
import { createKafka } from '../../stores/kafka/client.ts';
import { KafkaStream } from '../../stores/kafka/stream.ts';
import { OpenSearchTickers } from '../../stores/opensearch/tickers.ts';
import { S3DeadLetters } from '../../stores/s3/dead-letters.ts';
import { S3GivenUpBatches } from '../../stores/s3/given-up-batches.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { emittedBy } from '../emf.ts';
import { startIndex, startIngest } from '../integration/lambdas/handlers.ts';
import { eventOf, eventOfValues, keysOf, readTopic, recordsOf } from '../integration/lambdas/stores.ts';
import { openSearch, s3, services } from '../integration/services.ts';
import { SILENT_LOG, sampleTicker, sampleTickers } from '../samples/tickers.ts';
import { CrashPoint, walk } from './crash-point.ts';
import { type FaultyExchange, startFaultyExchange } from './faulty-exchange.ts';
import { agreementOn, counts, fillLake, freshWorld, leaveWorld, verdict, type World } from './world.ts';

const SLOTS = ['2021-03-01T12:00:00.000Z', '2021-03-01T12:02:00.000Z'] as const;

let world: World;
let exchange: FaultyExchange;
beforeEach(async () => {
  [world, exchange] = await Promise.all([freshWorld(), startFaultyExchange()]);
});
afterEach(async () => {
  await leaveWorld();
  await exchange.close();
});

describe('a process that is killed at any step', () => {
  it('while polling: a retry of the slot, or the next slot, completes it', async () => {
    const stream = new KafkaStream(createKafka('crash', [services.kafka], SILENT_LOG), world.topic);
    const pollAt = (slot: string, point: CrashPoint, streamPoint = point) =>
      poll(
        slot,
        {
          fetchDeadlineMs: Date.now() + 5_000,
          deadlineMs: Date.now() + 10_000,
          finishMs: Date.now() + 12_000,
        },
        {
          source: createSource(
            { name: 'bybit', exchange: 'bybit', api: 'bybit-v5', categories: ['spot', 'linear'] },
            { baseUrl: exchange.url },
          ),
          lake: point.watch(new S3Lake(s3, world.bucket)),
          stream: streamPoint.watch(stream),
          log: SILENT_LOG,
          now: Date.now,
        },
      );
    exchange.list.push({ symbol: 'BAD', lastPrice: 'oops' });
    let minute = 0;
    const nextSlot = () => {
      minute += 2;
      return new Date(Date.parse(SLOTS[0]) + minute * 60_000).toISOString();
    };
    const never = () => new CrashPoint(Number.POSITIVE_INFINITY);
    // A slot for each crash point; the next slot's poll has to complete it.
    const steps = await walk(async (point) => {
      try {
        await pollAt(nextSlot(), point);
      } finally {
        expect(await pollAt(nextSlot(), never())).toMatchObject({ waitingBatches: 0 });
      }
    });
    // Read the marker, list, store rejected and valid tickers of two categories, produce, write the marker.
    expect(steps).toBeGreaterThanOrEqual(2 * 8);
    const event = eventOf(await readTopic(world.topic));
    const index = {
      index: new OpenSearchTickers(openSearch),
      deadLetters: new S3DeadLetters(s3, world.bucket),
    };
    await indexBatch(Object.values(event.records).flat(), Date.now() + 20_000, {
      ...index,
      log: SILENT_LOG,
      now: Date.now,
    });
    const { lakeIds } = await counts(world);
    expect(await verdict(world)).toEqual(agreementOn(lakeIds));
    expect(await recordsOf(world.bucket, 'dead-letters/')).toEqual([]);

    // And the same slot, crash after crash.
    await walk((point) => pollAt('2021-03-01T18:00:00.000Z', point));
    const ids = (await readTopic(world.topic)).map(({ value }) =>
      tickerId(JSON.parse(Buffer.from(value, 'base64').toString()) as Ticker),
    );
    const inLake = (await recordsOf<Ticker>(world.bucket, 'tickers/')).map(tickerId);
    expect(new Set(ids)).toEqual(new Set(inLake));
    expect(new Set(inLake).size).toBe(inLake.length);

    // A killed process emits no metrics; the next function's metrics include what it had to catch up on.
    await expect(pollAt('2021-03-01T18:02:00.000Z', never(), new CrashPoint(0))).rejects.toThrow();
    const ingest = await startIngest({
      source: { url: exchange.url, categories: ['spot', 'linear'] },
      ...world,
    });
    await ingest('2021-03-01T18:04:00.000Z');
    expect(emittedBy('ingest')).toMatchObject([
      { PollsSucceeded: 1, TickersFetched: 6, RecordsProduced: 12, BatchesWaiting: 0 },
    ]);
  });

  it('while indexing: the batch is delivered again, and every record is stored or dead-lettered once', async () => {
    const tickers = sampleTickers(12, { slot: SLOTS[0] });
    await fillLake(world, tickers);
    const refused = JSON.stringify({ ...sampleTicker({ slot: SLOTS[0] }), _id: 'of OpenSearch itself' });
    const event = eventOfValues([...tickers, 'oops', refused]);
    const steps = await walk((point) =>
      indexBatch(Object.values(event.records).flat(), Date.now() + 20_000, {
        index: point.watch(new OpenSearchTickers(openSearch)),
        deadLetters: point.watch(new S3DeadLetters(s3, world.bucket)),
        log: SILENT_LOG,
        now: Date.now,
      }),
    );
    expect(steps).toBe(2 * 2);
    await (await startIndex({ bucket: world.bucket }))(event);
    expect(emittedBy('index')).toMatchObject([
      { DocumentsIndexed: 0, DocumentsAlreadyThere: 12, DeadLetters: 2, RecordsUnstored: 0 },
    ]);
    expect(await verdict(world)).toEqual(agreementOn(12));
    expect(await recordsOf(world.bucket, 'dead-letters/')).toHaveLength(2);
  });

  it('while redriving: redriven letters are recorded, the rest stay, and none is in both places', async () => {
    const ticker = sampleTicker({ slot: SLOTS[0] });
    const letters = new S3DeadLetters(s3, world.bucket);
    const letter = (offset: number, value: string) => ({
      v: 1 as const,
      topic: 'tickers',
      partition: 0,
      offset,
      value_base64: Buffer.from(value).toString('base64'),
      error_type: 'mapper_parsing_exception',
      reason: 'refused',
      produced_at: SLOTS[0],
      first_seen: SLOTS[0],
    });
    await letters.put([letter(1, JSON.stringify(ticker)), letter(2, 'oops')]);
    await letters.put([letter(3, JSON.stringify({ ...ticker, symbol: 'ETHUSDT' }))]);
    const steps = await walk(async (point) => {
      const services: Partial<OperationServices> = {
        index: point.watch(new OpenSearchTickers(openSearch)),
        deadLetters: new S3DeadLetters(point.watch(s3), world.bucket),
        givenUpBatches: new S3GivenUpBatches(s3, world.bucket),
        log: SILENT_LOG,
        now: Date.now,
      };
      await redrive.slice({}, undefined, services as OperationServices, { deadlineMs: Date.now() + 20_000 });
    });
    expect(steps).toBeGreaterThanOrEqual(4);
    expect(await recordsOf(world.bucket, 'redriven/')).toMatchObject([{ offset: 1 }, { offset: 3 }]);
    expect(await recordsOf(world.bucket, 'dead-letters/')).toMatchObject([
      { offset: 2, error_type: 'poison' },
    ]);
    expect(await keysOf(world.bucket, 'dead-letters/')).toHaveLength(1);
    expect(await counts(world)).toEqual({ lakeIds: 0, documents: 2 });
  });
});
