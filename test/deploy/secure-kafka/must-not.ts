import { setTimeout as wait } from 'node:timers/promises';
import kafkajs, { type Admin, logLevel } from 'kafkajs';
import { beforeAll, expect, it } from 'vitest';
import { Kafka } from '../../../stores/kafka/kafkajs.ts';
import type { Stage } from '../stage.ts';
import { refusalsOf } from './broker.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ResourcePatternTypes } =
  kafkajs;

/**
 * A topic that belongs to no role, and a group that every role may join, so that reading does not fail for
 * lack of a group.
 */
const FOREIGN = 'foreign';
const OPEN_GROUP = 'open';
/** How long a refusal of a consumer may take. */
const READ_MS = 30_000;

/** A request of a role to the brokers; rejects if it is refused. */
type Attempt = (as: Kafka, on: Names) => Promise<unknown>;
interface Names {
  topic: string;
  group: string;
}

const asAdmin =
  (ask: (admin: Admin, on: Names) => Promise<unknown>): Attempt =>
  async (as, on) => {
    const admin = as.admin();
    await admin.connect();
    try {
      await admin.describeCluster(); // kafkajs has to know the brokers
      await ask(admin, on);
    } finally {
      await admin.disconnect();
    }
  };

const write = async (as: Kafka, topic: string, transactionalId?: string) => {
  const producer = as.producer({
    allowAutoTopicCreation: false,
    ...(transactionalId ? { transactionalId, idempotent: true, retry: { retries: 1 } } : {}),
  });
  await producer.connect();
  try {
    const sender = transactionalId ? await producer.transaction() : producer;
    await sender.send({ topic, messages: [{ value: 'not ours' }] });
  } finally {
    await producer.disconnect();
  }
};

/** Reads until a record arrives, or the broker refuses. */
const read = async (as: Kafka, topic: string, groupId: string) => {
  const consumer = as.consumer({ groupId, retry: { retries: 0, restartOnFailure: async () => false } });
  await consumer.connect();
  const crash = Promise.withResolvers<never>();
  consumer.on(consumer.events.CRASH, ({ payload }) => crash.reject(payload.error));
  crash.promise.catch(() => {});
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    const something = Promise.withResolvers<void>();
    await consumer.run({ eachMessage: async () => something.resolve() });
    await Promise.race([something.promise, crash.promise, wait(READ_MS, undefined, { ref: false })]);
  } finally {
    await consumer.disconnect();
  }
};

/** Nobody but the superuser may do any of this. */
const EVERYBODY: Record<string, Attempt> = {
  'write to a foreign topic': (as) => write(as, FOREIGN),
  'write in a transaction': (as, { topic }) => write(as, topic, 'mine'),
  'read a foreign topic': (as) => read(as, FOREIGN, OPEN_GROUP),
  'look at a foreign topic': asAdmin((admin) => admin.fetchTopicMetadata({ topics: [FOREIGN] })),
  'create a topic': asAdmin((admin) => admin.createTopics({ topics: [{ topic: 'more' }] })),
  'add partitions': asAdmin((admin, { topic }) =>
    admin.createPartitions({ topicPartitions: [{ topic, count: 99 }] }),
  ),
  'read the configuration of the topic': asAdmin((admin, { topic }) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    }),
  ),
  'change the configuration of the topic': asAdmin((admin, { topic }) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: [{ name: 'retention.ms', value: '1' }],
        },
      ],
    }),
  ),
  'delete records of the topic': asAdmin(async (admin, { topic }) => {
    await admin.fetchTopicOffsets(topic); // kafkajs has to know the leader
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] });
  }),
  'delete the topic': asAdmin((admin, { topic }) => admin.deleteTopics({ topics: [topic] })),
  'delete a foreign topic': asAdmin((admin) => admin.deleteTopics({ topics: [FOREIGN] })),
  'join a foreign group': (as, { topic }) => read(as, topic, FOREIGN),
  'look at a foreign group': asAdmin((admin) => admin.fetchOffsets({ groupId: FOREIGN })),
  'delete the group': asAdmin((admin, { group }) => admin.deleteGroups([group])),
  'change the brokers': asAdmin((admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.BROKER,
          name: '1',
          configEntries: [{ name: 'message.max.bytes', value: '1' }],
        },
      ],
    }),
  ),
  'read the ACLs': asAdmin((admin) =>
    admin.describeAcls({
      resourceType: AclResourceTypes.ANY,
      resourcePatternType: ResourcePatternTypes.ANY,
      operation: AclOperationTypes.ANY,
      permissionType: AclPermissionTypes.ANY,
    }),
  ),
  'allow something': asAdmin((admin) => admin.createAcls({ acl: [everybodyMay('READ', FOREIGN)] })),
};

const writeOurs: Attempt = (as, { topic }) => write(as, topic);
const readOurs: Attempt = (as, { topic }) => read(as, topic, OPEN_GROUP);
const readInTheGroup: Attempt = (as, { topic, group }) => read(as, topic, group);
const lookAtTheGroup = asAdmin((admin, { group }) => admin.fetchOffsets({ groupId: group }));
const lookAtTheBrokers = asAdmin((admin) =>
  admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.BROKER, name: '1' }],
  }),
);

const BY_ROLE: Record<string, Record<string, Attempt>> = {
  bybitIngest: {
    'read the topic': readOurs,
    'read in the group of index': readInTheGroup,
    'look at the group of index': lookAtTheGroup,
    'look at the brokers': lookAtTheBrokers,
  },
  index: { 'write to the topic': writeOurs },
  operate: {
    'read the topic': readOurs,
    'read in the group of index': readInTheGroup,
    'look at the brokers': lookAtTheBrokers,
  },
};

function everybodyMay(operation: 'READ' | 'ALL', group: string) {
  return {
    resourceType: AclResourceTypes.GROUP,
    resourceName: group,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: 'User:*',
    host: '*',
    operation: AclOperationTypes[operation],
    permissionType: AclPermissionTypes.ALLOW,
  };
}

/** Tries on the brokers, as each role, everything that no role may do. */
export function mustNotOnKafka(stage: () => Stage): void {
  beforeAll(async () => {
    const { kafkaAdmin, broker } = stage().local;
    await kafkaAdmin.createTopics({ topics: [{ topic: FOREIGN }], waitForLeaders: true });
    await write(new Kafka({ brokers: [broker.url], logLevel: logLevel.NOTHING }), FOREIGN);
    await kafkaAdmin.createAcls({ acl: [everybodyMay('READ', OPEN_GROUP)] });
  });

  async function kafkaAs(name: string, secret = {}): Promise<Kafka> {
    const { identities, kafkaFront, certificate } = stage().local;
    return new Kafka({
      brokers: [kafkaFront.address],
      ssl: { ca: certificate.pem },
      ...(await identities.signInTo(stage().functionName(name), secret)),
      retry: { retries: 0 },
      logLevel: logLevel.NOTHING,
    });
  }

  it.each(Object.entries(BY_ROLE))('refuse %s everything that it must not do', async (name, own) => {
    const { topic, consumerGroup: group, local } = stage();
    const as = await kafkaAs(name);
    const allowed: string[] = [];
    for (const [what, attempt] of Object.entries({ ...EVERYBODY, ...own })) {
      const before = refusalsOf(local.broker).length;
      const outcome = await attempt(as, { topic, group }).then(
        () => 'done',
        (error: { type?: string }) => error,
      );
      // kafkajs does not always report the reason of a refusal; the broker's log has it.
      const isRefused =
        typeof outcome === 'object' &&
        (refusalsOf(local.broker).length > before || /_AUTHORIZATION_FAILED$/.test(outcome.type ?? ''));
      if (!isRefused) allowed.push(`${what}: ${outcome}`);
    }
    expect(allowed).toEqual([]);
  });

  it.each(['summarise', 'insights', 'watch'])('do not let %s in', async (name) => {
    const admin = (await kafkaAs(name)).admin();
    await expect(admin.connect()).rejects.toThrow(/kafka-cluster:Connect is not allowed/);
  });

  it('do not let anybody in whose signature is wrong', async () => {
    const admin = (await kafkaAs('index', { secretAccessKey: 'guessed' })).admin();
    await expect(admin.connect()).rejects.toThrow(/signature does not match/);
  });
}
