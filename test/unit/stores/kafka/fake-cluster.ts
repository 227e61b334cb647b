import { createRequire } from 'node:module';
import type { Kafka, Message, Producer, ProducerConfig } from 'kafkajs';

const require = createRequire(import.meta.url);
const createProducer = require('kafkajs/src/producer') as (options: object) => Producer;
const { errorCodes } = require('kafkajs/src/protocol/error') as { errorCodes: { type: string }[] };
const { KafkaJSProtocolError } = require('kafkajs/src/errors') as {
  KafkaJSProtocolError: new (code: object) => Error;
};

/** The error that kafkajs makes of a code in a broker's answer. */
export function kafkaError(type: string): Error {
  return new KafkaJSProtocolError(errorCodes.find((code) => code.type === type) as object);
}

/** What a producer sends to one broker: the messages of each partition. */
export interface ProduceRequest {
  node: number;
  messages: Map<number, Message[]>;
}

interface TopicData {
  topic: string;
  partitions: { partition: number; messages: Message[] }[];
}

/** Brokers in this process, behind kafkajs's own producer. */
export class FakeCluster {
  /** The node that leads each partition. */
  leaders = [1];
  /** What the leaders have appended, in order. */
  readonly stored: { partition: number; messages: Message[] }[] = [];
  readonly requests: ProduceRequest[] = [];
  /** How many producers have connected, and disconnected. */
  connects = 0;
  disconnects = 0;
  /** What a broker does before it appends. */
  onConnect: () => Promise<void> = async () => {};
  onProduce: (request: ProduceRequest) => Promise<void> = async () => {};

  readonly kafka = { producer: (config: ProducerConfig) => this.producer(config) } as unknown as Kafka;

  producer(config: ProducerConfig): Producer {
    const retry = { initialRetryTime: 1, maxRetryTime: 2, retries: 5, ...config.retry };
    return createProducer({ ...config, retry, cluster: this.#client(), logger: silentLogger });
  }

  values(): string[] {
    return this.stored.flatMap(({ messages }) => messages.map(({ value }) => value as string));
  }

  /** What a client knows of the cluster: the leaders of when it last asked. */
  #client() {
    let known: number[] | undefined;
    const refreshMetadata = async () => {
      known = [...this.leaders];
    };
    let first: Promise<void> | undefined;
    const refreshIfUnknown = async () => {
      first ??= refreshMetadata();
      await first;
    };
    const brokers = new Map<number, object>();
    return {
      retry: {},
      connect: async () => {
        this.connects += 1;
        await this.onConnect();
      },
      disconnect: async () => {
        this.disconnects += 1;
      },
      isConnected: () => true,
      removeBroker() {},
      addMultipleTargetTopics: refreshIfUnknown,
      refreshMetadataIfNecessary: refreshIfUnknown,
      refreshMetadata,
      findTopicPartitionMetadata: () =>
        known?.map((leader, partitionId) => ({ partitionId, leader, partitionErrorCode: 0 })) ?? [],
      findLeaderForPartitions: (_: string, partitions: string[]) =>
        Object.groupBy(partitions.map(Number), (partition) => known?.[partition] ?? -1),
      findBroker: async ({ nodeId }: { nodeId: string }) => {
        const node = Number(nodeId);
        const broker = brokers.get(node) ?? { nodeId: node, produce: this.#append.bind(this, node) };
        brokers.set(node, broker);
        return broker;
      },
    };
  }

  async #append(node: number, { topicData }: { topicData: TopicData[] }) {
    const entries = topicData.flatMap(({ partitions }) => partitions);
    const request = { node, messages: new Map(entries.map((each) => [each.partition, each.messages])) };
    this.requests.push(request);
    await this.onProduce(request);
    if (entries.some(({ partition }) => this.leaders[partition] !== node)) {
      throw kafkaError('NOT_LEADER_FOR_PARTITION');
    }
    this.stored.push(...entries.map(({ partition, messages }) => ({ partition, messages })));
    const answer = ({ partition }: { partition: number }) => ({ partition, errorCode: 0, baseOffset: '0' });
    return {
      topics: topicData.map(({ topic, partitions }) => ({
        topicName: topic,
        partitions: partitions.map(answer),
      })),
    };
  }
}

const silentLogger = {
  namespace: () => silentLogger,
  debug() {},
  info() {},
  warn() {},
  error() {},
};
