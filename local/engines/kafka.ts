import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { logLevel } from 'kafkajs';
import { LOOPBACK } from '../../core/runtime/loopback-server.ts';
import { Kafka } from '../../stores/kafka/kafkajs.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { type Engine, runJava, type StartOptions, startEngine } from './engine.ts';
import { javaProperties, LOG_TO_CONSOLE } from './java-properties.ts';

/** One of the nodes of a cluster, each of which is a broker and a controller. */
export interface KafkaNode {
  /** From 1. */
  readonly id: number;
  /** The same for all nodes: {@link newClusterId}. */
  readonly clusterId: string;
  /** Where the nodes' controllers listen, that of node 1 first. Nobody else may use these ports. */
  readonly controllerPorts: readonly number[];
  readonly heapMb: number;
  /** Added to the broker's own. */
  readonly settings?: Record<string, string | number | boolean>;
}

/** Measured on two cores: starts in 1.5 s instead of 2 s, with half the CPU time. */
const javaFlags = (heapMb: number) => [
  `-Xms${heapMb / 2}m`,
  `-Xmx${heapMb}m`,
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+ExitOnOutOfMemoryError',
];

/**
 * Apache Kafka (KRaft, broker and controller in one process) with its data in `data/kafka`. Topics are not created
 * automatically and, by default, keep their records forever.
 *
 * @param node @default the only node of its cluster
 * @throws {PortTakenError} {EngineStartError}
 */
export async function startKafka(options: StartOptions, node?: KafkaNode): Promise<Engine> {
  const folder = resolve(options.folder);
  const config = join(folder, 'config', 'kafka');
  const properties = join(config, 'server.properties');
  const classPath = join(options.jars.kafka, '*');
  const flags = javaFlags(node?.heapMb ?? 512);
  const logging = `-Dlog4j2.configurationFile=${join(config, 'log4j2.properties')}`;
  return startEngine(
    {
      name: 'kafka',
      title: 'Kafka',
      hasClassArchive: true,
      usualPort: 9092,
      portOption: '--kafka-port',
      url: (port) => `${LOOPBACK}:${port}`,
      async prepare({ port, internalPort }) {
        const own = node ?? { id: 1, clusterId: newClusterId(), controllerPorts: [internalPort] };
        mkdirSync(join(folder, 'data', 'kafka'), { recursive: true });
        writeFileAtomically(join(config, 'log4j2.properties'), LOG_TO_CONSOLE);
        writeFileAtomically(properties, javaProperties(serverProperties(port, own)));
        // StorageTool writes this file last and atomically: if it exists, the folder is formatted.
        if (!existsSync(join(folder, 'data', 'kafka', 'meta.properties'))) {
          const format = ['kafka.tools.StorageTool', 'format', '-t', own.clusterId, '-c', properties];
          await runJava('kafka', [...flags, logging, '-cp', classPath, ...format], options);
        }
        return [...flags, logging, '-cp', classPath, 'kafka.Kafka', properties];
      },
      isReady: (port) => coordinatorIsReady(port, node?.id ?? 1),
    },
    options,
  );
}

function serverProperties(
  port: number,
  { id, controllerPorts, settings }: Pick<KafkaNode, 'id' | 'controllerPorts' | 'settings'>,
): Record<string, string | number | boolean> {
  const replicas = Math.min(3, controllerPorts.length);
  const inSyncReplicas = Math.ceil(replicas / 2);
  const voters = controllerPorts.map((controllerPort, index) => `${index + 1}@${LOOPBACK}:${controllerPort}`);
  return {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': voters.join(','),
    listeners: `PLAINTEXT://${LOOPBACK}:${port},CONTROLLER://${LOOPBACK}:${controllerPorts[id - 1]}`,
    'advertised.listeners': `PLAINTEXT://${LOOPBACK}:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    // Relative to the working directory: Kafka splits this value at commas, which an absolute path may contain.
    'log.dirs': 'data/kafka',
    // After a kill the old broker counts as alive until its session ends (9 s by default); until then the new one
    // is refused.
    'broker.heartbeat.interval.ms': 500,
    'broker.session.timeout.ms': 3_000,
    'auto.create.topics.enable': false,
    // Records carry the time of their slot (2018 in the replay), so retention by age would delete them at once.
    'log.retention.ms': -1,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSyncReplicas,
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSyncReplicas,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSyncReplicas,
    // No other consumer will join, so do not wait 3 s for one.
    'group.initial.rebalance.delay.ms': 0,
    ...settings,
  };
}

/** 16 random bytes in URL-safe base64, like `kafka-storage random-uuid`. */
export function newClusterId(): string {
  const bytes = randomBytes(16);
  // No leading "-", which the tool would take for an option.
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('base64url');
}

/**
 * Whether the broker is registered and its group coordinator is loaded. Until then it answers, but refuses consumers
 * for about a second.
 */
async function coordinatorIsReady(port: number, nodeId: number): Promise<boolean> {
  const admin = new Kafka({
    clientId: 'start-up',
    brokers: [`${LOOPBACK}:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    if (!brokers.some((broker) => broker.nodeId === nodeId && broker.port === port)) return false;
    // Throws while the coordinator is loading.
    await admin.describeGroups(['start-up']);
    return true;
  } finally {
    await admin.disconnect();
  }
}
