import { randomUUID } from 'node:crypto';
import { type Admin, logLevel } from 'kafkajs';
import { newClusterId, startKafka } from '../../local/engines/kafka.ts';
import { anyFreePort } from '../../local/engines/ports.ts';
import { Kafka } from '../../stores/kafka/kafkajs.ts';
import { type MortalEngine, startMortal } from './own-engines.ts';
import { until } from './world.ts';

const NODES = [1, 2, 3];
/** Leaders that died are replaced after 2 s, and leaders move back to their preferred broker within a second. */
const LIVELY = { 'broker.session.timeout.ms': 2_000, 'leader.imbalance.check.interval.seconds': 1 };

/** Three real brokers, each a controller as well. Topics have three replicas; two of them acknowledge. */
export interface BrokerCluster {
  /** `host:port` of each. */
  brokers: string[];
  /** By node id minus one. */
  nodes: MortalEngine[];
  admin: Admin;
  freshTopic(partitions: number, settings?: Record<string, string>): Promise<string>;
  /** Waits until every partition has a leader and this many replicas in sync. @default all three */
  untilInSync(topic: string, replicas?: number): Promise<void>;
  /** Moves the leadership of one partition to the next broker, and waits until it is there. */
  moveLeader(topic: string, partition: number): Promise<void>;
  /** The values of all records on a topic, read with a plain consumer. */
  read(topic: string): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startBrokers(): Promise<BrokerCluster> {
  const clusterId = newClusterId();
  const controllerPorts = await Promise.all(NODES.map(anyFreePort));
  // At once: a broker is ready when a majority of the controllers is up.
  const nodes = await Promise.all(
    NODES.map((id) =>
      startMortal(`kafka-${id}`, (options) =>
        startKafka(options, { id, clusterId, controllerPorts, heapMb: 300, settings: LIVELY }),
      ),
    ),
  );
  const brokers = nodes.map(({ url }) => url);
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 10 } });
  const admin = kafka.admin();
  await admin.connect();
  const partitionsOf = async (topic: string) =>
    (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions ?? [];
  const untilPartitions = (
    topic: string,
    isRight: (partition: Awaited<ReturnType<typeof partitionsOf>>[number]) => boolean,
  ) =>
    // It fails while a leader is being elected.
    until(async () => (await partitionsOf(topic).catch(() => undefined))?.every(isRight) ?? false, 60_000);
  const untilInSync = (topic: string, replicas = NODES.length) =>
    untilPartitions(topic, ({ leader, isr }) => leader > 0 && isr.length === replicas);
  return {
    brokers,
    nodes,
    admin,
    untilInSync,
    async freshTopic(partitions, settings = {}) {
      const topic = `test-${randomUUID()}`;
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
      await admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] });
      await untilInSync(topic);
      return topic;
    },
    async moveLeader(topic, partition) {
      const { leader = 0 } = (await partitionsOf(topic)).find((each) => each.partitionId === partition) ?? {};
      const next = (leader % NODES.length) + 1;
      const replicas = [next, ...NODES.filter((id) => id !== next)];
      const partitionAssignment = [{ partition, replicas }];
      await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] });
      await untilPartitions(topic, (each) => each.partitionId !== partition || each.leader === next);
    },
    async read(topic) {
      const ends = new Map(
        (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]),
      );
      const unread = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
      const values: string[] = [];
      const consumer = kafka.consumer({ groupId: `reader-${topic}-${randomUUID()}` });
      await consumer.connect();
      try {
        await consumer.subscribe({ topic, fromBeginning: true });
        await consumer.run({
          eachBatch: async ({ batch: { partition, messages } }) => {
            for (const { value, offset } of messages) {
              values.push(String(value));
              if (Number(offset) >= (ends.get(partition) ?? 0) - 1) unread.delete(partition);
            }
          },
        });
        await until(() => unread.size === 0, 60_000);
      } finally {
        await consumer.disconnect();
      }
      return values;
    },
    async stop() {
      await admin.disconnect();
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}
