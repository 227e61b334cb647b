import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { MSKEvent } from 'aws-lambda';
import { type Admin, Partitioners, type Producer } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  EventSourceStoppedError,
  type KafkaEventSource,
  startKafkaEventSource,
} from '../../local/event-sources/kafka-event-source.ts';
import type { KafkaEventSourceOptions } from '../../local/event-sources/options.ts';
import { keysOf } from '../integration/lambdas/stores.ts';
import { freshBucket, kafka, s3, services } from '../integration/services.ts';
import { SILENT_LOG } from '../samples/tickers.ts';

const brokers = [services.kafka];
const PARTITIONS = 3;

let admin: Admin;
let producer: Producer;
let topic: string;
let groupId: string;
let sources: KafkaEventSource[];
const topics: string[] = [];

beforeAll(async () => {
  admin = kafka.admin();
  producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await Promise.all([admin.connect(), producer.connect()]);
});

afterAll(async () => {
  // Only now, because the producer keeps requesting metadata of every topic it wrote to.
  await admin.deleteTopics({ topics });
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

beforeEach(async () => {
  topic = `esm-${randomUUID()}`;
  groupId = `group-of-${topic}`;
  topics.push(topic);
  sources = [];
  await admin.createTopics({
    waitForLeaders: true,
    topics: [
      {
        topic,
        numPartitions: PARTITIONS,
        replicationFactor: 1,
        configEntries: [{ name: 'max.message.bytes', value: String(10 * 1024 * 1024) }],
      },
    ],
  });
});

afterEach(async () => {
  await Promise.all(sources.map((source) => source.stop()));
});

function start(options: Partial<KafkaEventSourceOptions> & Pick<KafkaEventSourceOptions, 'invoke'>) {
  const source = startKafkaEventSource({
    brokers,
    topic,
    groupId,
    partialBatchResponse: false,
    bisectOnError: false,
    retryBackoff: { initialMs: 5, maxMs: 20 },
    log: SILENT_LOG,
    ...options,
  });
  sources.push(source);
  return source;
}

/** Sends values to a partition and returns the offset after the last one, for `waitUntil`. */
async function produce(values: (string | Buffer)[], partition = 0): Promise<Record<string, string>> {
  const messages = values.map((value) => ({ key: `key-${partition}`, value, partition }));
  const [written] = await producer.send({ topic, messages });
  return { [partition]: String(Number(written?.baseOffset) + values.length) };
}

/** The values in an event, in order. */
function valuesOf(event: MSKEvent): string[] {
  return Object.values(event.records).flatMap((records) =>
    records.map(({ value }) => Buffer.from(value, 'base64').toString()),
  );
}

async function committedOffsets(): Promise<Record<string, string>> {
  const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return Object.fromEntries((offsets?.partitions ?? []).map((p) => [String(p.partition), p.offset]));
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `${from + index}`);

describe('a Kafka event source', () => {
  it('sends the events that Lambda would, from the earliest record on', async () => {
    await producer.send({
      topic,
      messages: [{ key: 'BTC', value: 'one', partition: 1, timestamp: '1545084650987', headers: { h: 'A' } }],
    });
    const invoke = vi.fn(async (_: MSKEvent) => {});
    await start({ invoke }).waitUntil({ 1: '1' });

    expect(invoke.mock.calls).toEqual([
      [
        {
          eventSource: 'aws:kafka',
          eventSourceArn: expect.stringMatching(/^arn:aws:kafka:/),
          bootstrapServers: brokers.join(','),
          records: {
            [`${topic}-1`]: [
              {
                topic,
                partition: 1,
                offset: 0,
                timestamp: 1545084650987,
                timestampType: 'CREATE_TIME',
                key: 'QlRD',
                value: 'b25l',
                headers: [{ h: [65] }],
              },
            ],
          },
        },
      ],
    ]);
  });

  it('keeps the order of each partition and delivers everything once', async () => {
    const seen = new Map<number, string[]>();
    const invoke = async (event: MSKEvent) => {
      for (const { partition, value } of Object.values(event.records).flat()) {
        const values = seen.get(partition) ?? [];
        seen.set(partition, [...values, Buffer.from(value, 'base64').toString()]);
      }
    };
    const source = start({ invoke, batchSize: 70 });
    const targets: Record<string, string> = {};
    for (let round = 0; round < 5; round++) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        Object.assign(targets, await produce(numbered(100, round * 100), partition));
      }
    }
    await source.waitUntil(targets);

    for (let partition = 0; partition < PARTITIONS; partition++) {
      expect(seen.get(partition)).toEqual(numbered(500));
    }
    expect(source.lagRecords()).toBe(0);
    expect(source.processedOffsets()).toEqual({ 0: '500', 1: '500', 2: '500' });
  });

  it('handles the batches of different partitions at the same time, those of one in its order', async () => {
    let targets = {};
    for (const partition of [0, 1]) {
      targets = { ...targets, ...(await produce(numbered(30), partition)) };
    }
    const seen = new Map<string, string[]>();
    const active = new Set<string>();
    const bothActive = Promise.withResolvers<void>();
    const invoke = async (event: MSKEvent) => {
      const [partition = '', ...others] = Object.keys(event.records);
      expect(others).toEqual([]);
      expect(active).not.toContain(partition);
      active.add(partition);
      if (active.size === 2) bothActive.resolve();
      await bothActive.promise;
      seen.set(partition, [...(seen.get(partition) ?? []), ...valuesOf(event)]);
      active.delete(partition);
    };
    await start({ invoke, batchSize: 10 }).waitUntil(targets, AbortSignal.timeout(50_000));
    expect(Object.fromEntries(seen)).toEqual({ [`${topic}-0`]: numbered(30), [`${topic}-1`]: numbered(30) });
  });

  it('continues with the other partitions while one fails, however much is waiting there', async () => {
    await produce(numbered(100), 0);
    const targets = await produce(numbered(100), 1);
    const invoke = async (event: MSKEvent) => {
      if (event.records[`${topic}-0`]) throw new Error('poison');
    };
    const source = start({ invoke, batchSize: 10 });
    await source.waitUntil(targets, AbortSignal.timeout(50_000));
    await source.waitUntil(await produce(numbered(100), 1), AbortSignal.timeout(50_000));
    expect(source.lagRecords()).toBe(100);
  });

  it('retries a batch until the function stops throwing', async () => {
    const batches: string[][] = [];
    const onRetry = vi.fn();
    const invoke = async (event: MSKEvent) => {
      batches.push(valuesOf(event));
      if (batches.length < 4) throw new Error('OpenSearch is unavailable');
    };
    const targets = await produce(['a', 'b']);
    await start({ invoke, onRetry }).waitUntil(targets);
    expect(batches).toEqual(Array(4).fill(['a', 'b']));
    expect(onRetry.mock.calls.map(([retry]) => retry.attempt)).toEqual([1, 2, 3]);
  });

  it('retries only from the failed offset of a partial batch response', async () => {
    const batches: string[][] = [];
    const invoke = async (event: MSKEvent) => {
      batches.push(valuesOf(event));
      if (batches.length > 1) return { batchItemFailures: [] };
      return { batchItemFailures: [{ itemIdentifier: { partition: `${topic}-0`, offset: 2 } }] };
    };
    const targets = await produce(['a', 'b', 'c', 'd']);
    await start({ invoke, partialBatchResponse: true }).waitUntil(targets);
    expect(batches).toEqual([
      ['a', 'b', 'c', 'd'],
      ['c', 'd'],
    ]);
  });

  it('moves a poison record to the on-failure destination and continues', async () => {
    const bucket = await freshBucket();
    const handled: string[] = [];
    const invoke = async (event: MSKEvent) => {
      const values = valuesOf(event);
      if (values.includes('poison')) throw new Error('cannot read this');
      handled.push(...values);
    };
    const values = [...numbered(20), 'poison', ...numbered(20, 20)];
    const targets = await produce(values);
    const source = start({
      invoke,
      bisectOnError: true,
      maximumRetryAttempts: 2,
      onFailure: { s3Url: services.s3, bucket },
    });
    await source.waitUntil(targets);

    expect(handled).toEqual(numbered(40));
    const { Contents: objects = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(objects.map(({ Key }) => Key)).toEqual([
      expect.stringContaining(`aws/lambda/${groupId}/${topic}/`),
    ]);
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: objects[0]?.Key }));
    const record = JSON.parse((await object.Body?.transformToString()) ?? '');
    expect(record).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 3 },
      KafkaBatchInfo: { batchSize: 1, recordsInfo: { [`${topic}-0`]: { firstRecordOffset: '20' } } },
    });
    expect(valuesOf(JSON.parse(record.payload))).toEqual(['poison']);
  });

  it.each([
    ['ten retries if they are unlimited, as Lambda does', {}, 11],
    ['as many retries as are set', { maximumRetryAttempts: 14 }, 15],
  ])('with a destination, gives a batch up after %s', async (_, options, invocations) => {
    const bucket = await freshBucket();
    const targets = await produce(['a', 'b']);
    const invoke = vi.fn(() => Promise.reject(new Error('OpenSearch is unavailable')));
    const source = start({ invoke, onFailure: { s3Url: services.s3, bucket }, ...options });
    await source.waitUntil(targets);
    expect(invoke).toHaveBeenCalledTimes(invocations);
    expect(await keysOf(bucket, 'aws/lambda/')).toHaveLength(1);
  });

  it('logs an error for records given up without a destination', async () => {
    const error = vi.fn();
    const targets = await produce(['a', 'b']);
    const invoke = () => Promise.reject(new Error('never'));
    await start({ invoke, maximumRetryAttempts: 1, log: { ...SILENT_LOG, error } }).waitUntil(targets);
    expect(error).toHaveBeenCalledWith(
      expect.stringContaining('2 records'),
      expect.objectContaining({ condition: 'RetryAttemptsExhausted' }),
    );
  });

  it('never puts two records of 4 MB into one event', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024, 'x'); // 4 MB in base64
    for (let n = 0; n < 2; n++) await produce([large]);
    const eventBytes: number[] = [];
    const invoke = async (event: MSKEvent) => {
      eventBytes.push(Buffer.byteLength(JSON.stringify(event)));
    };
    await start({ invoke }).waitUntil({ 0: '2' });
    expect(eventBytes).toHaveLength(2);
    for (const bytes of eventBytes) expect(bytes).toBeLessThan(6 * 1024 * 1024);
  });

  it('gathers records during the batching window', async () => {
    const batches: string[][] = [];
    const source = start({
      invoke: async (event) => {
        batches.push(valuesOf(event));
      },
      maximumBatchingWindowMs: 1_500,
    });
    await source.waitUntilRunning();
    let targets = {};
    for (const value of ['a', 'b', 'c']) targets = await produce([value]);
    await source.waitUntil(targets);
    expect(batches).toEqual([['a', 'b', 'c']]);
  });

  it('does not wait for the window if a batch is full', async () => {
    const targets = await produce(numbered(4));
    const batches: string[][] = [];
    const source = start({
      invoke: async (event) => {
        batches.push(valuesOf(event));
      },
      maximumBatchingWindowMs: 3_600_000,
      batchSize: 2,
    });
    await source.waitUntil(targets);
    expect(batches).toEqual([
      ['0', '1'],
      ['2', '3'],
    ]);
  });

  it('commits handled records, so that the next one continues after them', async () => {
    const targets = await produce(['a', 'b']);
    const first = start({ invoke: async () => {} });
    await first.waitUntil(targets);
    await first.stop();
    expect(first.state).toBe('stopped');
    expect(await committedOffsets()).toMatchObject(targets);

    const invoke = vi.fn(async (_: MSKEvent) => {});
    const second = start({ invoke });
    await second.waitUntil(targets);
    expect(invoke).not.toHaveBeenCalled();
    await second.waitUntil(await produce(['c']));
    expect(invoke.mock.calls.map(([event]) => valuesOf(event))).toEqual([['c']]);
  });

  it('commits nothing before the function is done, so that the next one gets the records again', async () => {
    await produce(['a', 'b']);
    const started = Promise.withResolvers<void>();
    const first = start({
      invoke: () => {
        started.resolve();
        return new Promise(() => {}); // as if it crashed
      },
    });
    await started.promise;
    expect((await committedOffsets())['0']).toBe('-1');
    expect(first.lagRecords()).toBe(2);
    await first.stop();

    const invoke = vi.fn(async (_: MSKEvent) => {});
    await start({ invoke }).waitUntil({ 0: '2' });
    expect(invoke.mock.calls.map(([event]) => valuesOf(event))).toEqual([['a', 'b']]);
  });

  it('lets the current invocation finish when stopped, and commits it', async () => {
    const targets = await produce(['a']);
    const started = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const source = start({
      invoke: () => {
        started.resolve();
        return finish.promise;
      },
    });
    await started.promise;
    const stopping = source.stop();
    expect(source.state).toBe('stopping');
    finish.resolve();
    await stopping;
    expect(await committedOffsets()).toMatchObject(targets);
  });

  it('stays in the group while an invocation outlasts the session', async () => {
    const targets = await produce(['a']);
    const invoke = vi.fn(async (event: MSKEvent) => {
      if (valuesOf(event).includes('a')) await setTimeout(8_000);
    });
    const source = start({ invoke });
    await source.waitUntil(targets);
    await source.waitUntil(await produce(['b']));
    expect(invoke.mock.calls.map(([event]) => valuesOf(event))).toEqual([['a'], ['b']]);
  });

  it('ends waits when it is stopped or their signal aborts', async () => {
    const source = start({ invoke: async () => {} });
    const abort = new AbortController();
    const impatient = source.waitUntil({ 0: '1' }, abort.signal);
    abort.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    const patient = source.waitUntil({ 0: 1n }).catch((error: unknown) => error);
    await source.stop();
    expect(await patient).toBeInstanceOf(EventSourceStoppedError);
  });

  it('waits for brokers that are not up yet, and can be stopped meanwhile', async () => {
    const source = start({ invoke: async () => {}, brokers: ['127.0.0.1:1'] });
    await vi.waitFor(() => expect(source.state).toBe('reconnecting'), { timeout: 50_000 });
    await source.stop();
    expect(source.state).toBe('stopped');
  });
});
