import { type Kafka, Partitioners, type ProducerConfig, type ProducerRecord } from 'kafkajs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { KafkaStream, StreamUnavailableError } from '../../../../stores/kafka/stream.ts';

let sent: ProducerRecord[];
let connects: number;
let config: ProducerConfig;
/** What the broker does next. */
let onConnect: () => Promise<void>;
let onSend: () => Promise<void>;
beforeEach(() => {
  sent = [];
  connects = 0;
  onConnect = async () => {};
  onSend = async () => {};
});

function stream(): KafkaStream {
  const producer = {
    connect: () => {
      connects += 1;
      return onConnect();
    },
    send: (record: ProducerRecord) => {
      sent.push(record);
      return onSend();
    },
  };
  const kafka = {
    producer(given: ProducerConfig) {
      config = given;
      return producer;
    },
  };
  return new KafkaStream(kafka as unknown as Kafka, 'tickers');
}
const soon = () => Date.now() + 5_000;
const records = (count: number, valueBytes: number) =>
  Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: 'x'.repeat(valueBytes) }));
const never = () => new Promise<void>(() => {});

describe('the stream in Kafka', () => {
  it('asks all in-sync replicas to acknowledge', async () => {
    await stream().produce([{ key: 'k', value: 'v' }], soon());
    expect(sent).toMatchObject([{ topic: 'tickers', acks: -1, messages: [{ key: 'k', value: 'v' }] }]);
  });

  it('splits what a broker would not take in one batch, in order', async () => {
    const many = records(30, 100_000);
    await stream().produce(many, soon());
    expect(sent.length).toBeGreaterThan(1);
    for (const { messages } of sent) {
      const bytes = messages.reduce((sum, { value }) => sum + Buffer.byteLength(value as string), 0);
      expect(bytes).toBeLessThan(1_000_000);
    }
    expect(sent.flatMap(({ messages }) => messages)).toEqual(many);
  });

  it('sends requests without a common key at once, and each key’s records in order', async () => {
    const slot = records(15, 100_000);
    const answers: (() => void)[] = [];
    onSend = () => new Promise((resolve) => answers.push(resolve));
    const done = stream().produce([...slot, ...slot], soon());
    const requestsUnderWay = async (count: number) => {
      await vi.waitFor(() => expect(answers).toHaveLength(count));
      for (const answer of answers.splice(0)) answer();
    };
    await requestsUnderWay(2);
    await requestsUnderWay(2);
    await done;
    expect(sent.flatMap(({ messages }) => messages)).toEqual([...slot, ...slot]);
  });

  it('gives each key Kafka’s own partition, even after the topic has grown', () => {
    stream();
    const ours = config.createPartitioner?.();
    const kafkas = Partitioners.DefaultPartitioner();
    for (const partitions of [3, 3, 6]) {
      const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
        partitionErrorCode: 0,
        partitionId,
        leader: 1,
        replicas: [1],
        isr: [1],
      }));
      for (const message of records(50, 1)) {
        const record = { topic: 'tickers', partitionMetadata, message };
        expect(ours?.(record)).toBe(kafkas(record));
      }
    }
  });

  it('sends nothing for no records', async () => {
    await stream().produce([], soon());
    expect(connects).toBe(0);
  });

  it('connects once', async () => {
    const warm = stream();
    await warm.produce(records(1, 1), soon());
    await warm.produce(records(1, 1), soon());
    expect(connects).toBe(1);
  });

  it('connects again after a failure', async () => {
    const warm = stream();
    onConnect = async () => {
      throw new Error('refused');
    };
    await expect(warm.produce(records(1, 1), soon())).rejects.toThrow('refused');
    onConnect = async () => {};
    await warm.produce(records(1, 1), soon());
    expect(sent).toHaveLength(1);
  });

  it.each<[string, () => void]>([
    ['the connection', () => (onConnect = never)],
    ['the acknowledgement', () => (onSend = never)],
  ])('waits for %s no longer than the deadline', async (_, hang) => {
    hang();
    const error = await stream()
      .produce(records(1, 1), Date.now() + 50)
      .catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(StreamUnavailableError);
    expect((error as Error).message).toBe(
      'Kafka topic "tickers" did not take the tickers: not acknowledged in time. They are in the lake; the next poll produces them.',
    );
  });

  it('keeps the broker’s own error as the cause', async () => {
    const cause = new Error('not enough replicas');
    onSend = async () => {
      throw cause;
    };
    await expect(stream().produce(records(1, 1), soon())).rejects.toMatchObject({
      name: 'StreamUnavailableError',
      cause,
    });
  });
});
