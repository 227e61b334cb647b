import type { Admin, Kafka } from 'kafkajs';
import type { StreamHealth } from '../../core/operate/ports.ts';

export class KafkaHealth implements StreamHealth {
  readonly topic: string;
  readonly consumerGroup: string;
  readonly #kafka: Kafka;
  #connecting: Promise<Admin> | undefined;

  constructor(kafka: Kafka, topic: string, consumerGroup: string) {
    this.#kafka = kafka;
    this.topic = topic;
    this.consumerGroup = consumerGroup;
  }

  async brokers(): Promise<string[]> {
    const { brokers } = await (await this.#admin()).describeCluster();
    return brokers.map(({ host, port }) => `${host}:${port}`);
  }

  async partitions() {
    const admin = await this.#admin();
    if (!(await admin.listTopics()).includes(this.topic)) return undefined;
    const { topics } = await admin.fetchTopicMetadata({ topics: [this.topic] });
    const partitions = topics[0]?.partitions ?? [];
    return {
      total: partitions.length,
      leaderless: partitions.filter(({ leader }) => leader < 0).length,
      underReplicated: partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length,
    };
  }

  async lag() {
    const admin = await this.#admin();
    const groupId = this.consumerGroup;
    const [committed, { groups }] = await Promise.all([
      admin.fetchOffsets({ groupId, topics: [this.topic] }),
      admin.describeGroups([groupId]),
    ]);
    // Read after the commits: otherwise records written and handled in between would make the lag negative.
    const ends = await admin.fetchTopicOffsets(this.topic);
    const offsets = new Map(
      committed.flatMap(({ partitions }) => partitions.map((p) => [p.partition, Number(p.offset)])),
    );
    // A recreated topic ends before the offsets committed for the old one.
    const lagOf = ({ partition, low, high }: (typeof ends)[number]) =>
      Math.max(0, Number(high) - Math.max(Number(low), offsets.get(partition) ?? 0));
    return {
      records: ends.reduce((sum, partition) => sum + lagOf(partition), 0),
      // Kafka answers -1 for a partition without a commit.
      committed: [...offsets.values()].reduce((sum, offset) => sum + Math.max(0, offset), 0),
      members: groups[0]?.members.length ?? 0,
    };
  }

  async close(): Promise<void> {
    const connecting = this.#connecting;
    this.#connecting = undefined;
    // Disconnecting fails if it never connected.
    await connecting?.then((admin) => admin.disconnect()).catch(() => undefined);
  }

  #admin(): Promise<Admin> {
    this.#connecting ??= (async () => {
      const admin = this.#kafka.admin({ retry: { retries: 1, initialRetryTime: 200 } });
      await admin.connect();
      return admin;
    })();
    return this.#connecting;
  }
}
