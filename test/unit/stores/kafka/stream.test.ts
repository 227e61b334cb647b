import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KafkaStream, StreamUnavailableError } from '../../../../stores/kafka/stream.ts';
import { FakeCluster, kafkaError, type ProduceRequest } from './fake-cluster.ts';

let cluster: FakeCluster;
beforeEach(() => {
  cluster = new FakeCluster();
  // No waits between attempts.
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => void vi.restoreAllMocks());

const stream = () => new KafkaStream(cluster.kafka, 'tickers');
const soon = () => Date.now() + 20_000;
const records = (count: number, valueBytes = 1) =>
  Array.from({ length: count }, (_, index) => ({
    key: `k${index}`,
    value: `${index} `.padEnd(valueBytes, 'x'),
  }));
const never = () => new Promise<void>(() => {});
const failureOf = (work: Promise<unknown>) => work.catch((error: Error) => error) as Promise<Error>;

/** Runs an action with the first request that a node gets. */
function onFirstRequestTo(node: number, action: () => void | Promise<void>): void {
  let done = false;
  cluster.onProduce = async (request) => {
    if (request.node !== node || done) return;
    done = true;
    await action();
  };
}

/** Broker 2 fails after broker 1 has acknowledged, and broker 1 takes over its partition. */
function takeOver(): void {
  cluster.leaders = [1, 2];
  onFirstRequestTo(2, async () => {
    await vi.waitUntil(() => cluster.stored.length > 0, { timeout: 20_000 });
    cluster.leaders = [1, 1];
    throw kafkaError('NOT_LEADER_FOR_PARTITION');
  });
}

describe('a leader that fails during a send, whose partition another leader takes over', () => {
  it('is forgotten by kafkajs’s own retries, which report success', async () => {
    takeOver();
    const producer = cluster.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    const answers = await producer.send({ topic: 'tickers', messages: records(20) });
    expect(answers.map(({ partition }) => partition)).toEqual([0]);
    expect(new Set(cluster.stored.map(({ partition }) => partition))).toEqual(new Set([0]));
    expect(cluster.values().length).toBeLessThan(20);
  });

  it('loses nothing in the stream', async () => {
    takeOver();
    const all = records(20);
    await stream().produce(all, soon());
    expect(new Set(cluster.values())).toEqual(new Set(all.map(({ value }) => value)));
  });
});

describe('the stream in Kafka', () => {
  it('splits what a broker would not take in one batch, in order', async () => {
    const many = records(30, 100_000);
    await stream().produce(many, soon());
    expect(cluster.requests.length).toBeGreaterThan(1);
    for (const { messages } of cluster.stored) {
      const bytes = messages.reduce((sum, { value }) => sum + Buffer.byteLength(value as string), 0);
      expect(bytes).toBeLessThan(1_000_000);
    }
    expect(cluster.values()).toEqual(many.map(({ value }) => value));
  });

  it('sends requests without a common key at once, and each key’s records in order', async () => {
    const slot = records(15, 100_000);
    const answers: (() => void)[] = [];
    cluster.onProduce = () => new Promise((resolve) => answers.push(resolve));
    const done = stream().produce([...slot, ...slot], soon());
    const requestsUnderWay = async (count: number) => {
      await vi.waitFor(() => expect(answers).toHaveLength(count), { timeout: 20_000 });
      for (const answer of answers.splice(0)) answer();
    };
    await requestsUnderWay(2);
    await requestsUnderWay(2);
    await done;
    expect(cluster.values()).toEqual([...slot, ...slot].map(({ value }) => value));
  });

  it('gives each key Kafka’s own partition, even after the topic has grown', async () => {
    const kafkas = Partitioners.DefaultPartitioner();
    const warm = stream();
    for (const partitions of [3, 3, 6]) {
      cluster.leaders = Array.from({ length: partitions }, () => 1);
      cluster.stored.length = 0;
      // The producer learns of new partitions with its next metadata.
      onFirstRequestTo(1, () => {
        throw kafkaError('LEADER_NOT_AVAILABLE');
      });
      await warm.produce(records(50), soon());
      const partitionMetadata = cluster.leaders.map((leader, partitionId) => ({
        partitionErrorCode: 0,
        partitionId,
        leader,
        replicas: [1],
        isr: [1],
      }));
      for (const { partition, messages } of cluster.stored) {
        for (const message of messages) {
          expect(kafkas({ topic: 'tickers', partitionMetadata, message })).toBe(partition);
        }
      }
      expect(cluster.values()).toHaveLength(50);
    }
  });

  it('sends nothing for no records', async () => {
    await stream().produce([], soon());
    expect(cluster.connects).toBe(0);
  });

  it('connects once, and sends each request once', async () => {
    const warm = stream();
    await warm.produce(records(1), soon());
    await warm.produce(records(1), soon());
    expect(cluster).toMatchObject({ connects: 1, disconnects: 0 });
    expect(cluster.requests).toHaveLength(2);
  });

  it('connects again after a failure', async () => {
    cluster.onConnect = async () => {
      cluster.onConnect = async () => {};
      throw new Error('refused');
    };
    await stream().produce(records(1), soon());
    expect(cluster.values()).toHaveLength(1);
    expect(cluster).toMatchObject({ connects: 2, disconnects: 1 });
  });
});

describe('the stream’s retries', () => {
  it.each([
    'NOT_ENOUGH_REPLICAS',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'LEADER_NOT_AVAILABLE',
    'NOT_LEADER_FOR_PARTITION',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'REQUEST_TIMED_OUT',
    'NETWORK_EXCEPTION',
  ])('outlast %s', async (type) => {
    let refusals = 7;
    cluster.onProduce = async () => {
      if (refusals-- > 0) throw kafkaError(type);
    };
    await stream().produce(records(3), soon());
    expect(cluster.values()).toHaveLength(3);
  });

  it('ask for the leaders again after a timeout', async () => {
    cluster.leaders = [2];
    cluster.onProduce = async ({ node }) => {
      if (node !== 2) return;
      cluster.leaders = [1];
      throw new Error('Request Produce timed out');
    };
    await stream().produce(records(3), soon());
    expect(cluster.values()).toHaveLength(3);
  });

  it('send again only what was not acknowledged', async () => {
    cluster.onProduce = async ({ messages }) => {
      cluster.onProduce = async () => {};
      if (messages.get(0)?.some(({ value }) => String(value).startsWith('0 '))) {
        throw kafkaError('REQUEST_TIMED_OUT');
      }
    };
    const many = records(15, 100_000);
    await stream().produce(many, soon());
    expect(cluster.requests).toHaveLength(3);
    expect(cluster.values()).toHaveLength(15);
  });

  it.each([
    [
      'TOPIC_AUTHORIZATION_FAILED',
      'Not authorized to access topics: [Topic authorization failed]. Allow the function to write',
    ],
    ['CLUSTER_AUTHORIZATION_FAILED', 'Allow the function to write to the topic'],
    ['MESSAGE_TOO_LARGE', 'Set max.message.bytes of the topic to 1048588'],
    ['INVALID_TOPIC_EXCEPTION', 'Correct KAFKA_TOPIC.'],
  ])('end at once with %s, and say what to do', async (type, text) => {
    cluster.onProduce = async () => {
      throw kafkaError(type);
    };
    const error = await failureOf(stream().produce(records(1), soon()));
    expect(error).toBeInstanceOf(StreamUnavailableError);
    expect(error.message).toContain(text);
    expect(cluster.requests).toHaveLength(1);
  });

  it('end at the deadline with Kafka’s last answer, and what to do', async () => {
    vi.mocked(Math.random).mockReturnValue(0.1);
    cluster.onProduce = async () => {
      throw kafkaError('NOT_ENOUGH_REPLICAS');
    };
    const error = await failureOf(stream().produce(records(1), Date.now() + 200));
    expect(error.message).toBe(
      'Kafka topic "tickers" did not take the tickers: Messages are rejected since there are fewer in-sync replicas than required. Bring the missing brokers back, or wait until they have caught up. They are in the lake; the next poll produces them.',
    );
    expect(cluster.requests.length).toBeGreaterThan(1);
  });

  it.each<[string, () => void]>([
    ['the connection', () => (cluster.onConnect = never)],
    ['the acknowledgement', () => (cluster.onProduce = never)],
  ])('wait for %s no longer than the deadline, and the next poll starts afresh', async (_, hang) => {
    hang();
    const warm = stream();
    const error = await failureOf(warm.produce(records(1), Date.now() + 50));
    expect(error).toBeInstanceOf(StreamUnavailableError);
    expect(error.message).toBe(
      'Kafka topic "tickers" did not take the tickers: not acknowledged in time. They are in the lake; the next poll produces them.',
    );
    cluster.onConnect = async () => {};
    cluster.onProduce = async () => {};
    await warm.produce(records(1), soon());
    expect(cluster.connects).toBe(2);
  });

  it('close a failed producer once the other sends that use it have ended', async () => {
    const warm = stream();
    let answer = () => {};
    cluster.onProduce = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const slow = warm.produce(records(1), soon());
    await vi.waitUntil(() => cluster.requests.length === 1, { timeout: 20_000 });
    cluster.onProduce = async () => {
      cluster.onProduce = async () => {};
      throw kafkaError('REQUEST_TIMED_OUT');
    };
    await warm.produce(records(1), soon());
    expect(cluster).toMatchObject({ connects: 2, disconnects: 0 });
    answer();
    await slow;
    expect(cluster).toMatchObject({ connects: 2, disconnects: 1 });
  });
});

describe('property: whatever the brokers do', () => {
  const event = fc.record({
    /** Before the answer to a request, counted from the first. */
    leaders: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 6 }),
    fails: fc.option(fc.constantFrom('NOT_LEADER_FOR_PARTITION', 'NOT_ENOUGH_REPLICAS', 'REQUEST_TIMED_OUT')),
    /** The broker appends, and its answer is lost. */
    answerIsLost: fc.boolean(),
  });

  it('every record is stored, and the first copies of a key’s records are in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 8 }), async (events) => {
        cluster = new FakeCluster();
        cluster.leaders = [1, 2, 3];
        const left = [...events];
        cluster.onProduce = async ({ messages }: ProduceRequest) => {
          const next = left.shift();
          if (!next) return;
          // A topic never loses partitions.
          cluster.leaders = [...next.leaders, ...cluster.leaders.slice(next.leaders.length)];
          if (next.answerIsLost) {
            for (const [partition, each] of messages) cluster.stored.push({ partition, messages: each });
          }
          if (next.fails !== null || next.answerIsLost) throw kafkaError(next.fails ?? 'REQUEST_TIMED_OUT');
        };
        const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
        const all = [1, 2].flatMap((slot) => keys.map((key) => ({ key, value: `${key} ${slot}` })));
        await stream().produce(all, soon());
        const firstCopies = [...new Set(cluster.values())];
        expect(new Set(firstCopies)).toEqual(new Set(all.map(({ value }) => value)));
        for (const key of keys) {
          expect(firstCopies.filter((value) => value.startsWith(`${key} `))).toEqual([
            `${key} 1`,
            `${key} 2`,
          ]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
