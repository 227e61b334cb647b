import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import * as z from 'zod';
import { CALL_TIMEOUTS_MS, KAFKA_RETRY } from '../../core/runtime/budgets.ts';
import { brokerList, EnvironmentError } from '../../core/runtime/environment.ts';
import type { Log } from '../../core/runtime/log.ts';
import { mskCluster } from './msk-cluster.ts';

/** What a function that uses Kafka has in its environment: exactly one of the two. */
export const kafkaVariables = {
  /** Brokers that want no sign-in, on one machine: `host:port,host:port`. */
  KAFKA_BROKERS: brokerList.optional(),
  /** An Amazon MSK cluster, which is signed in to with IAM. */
  KAFKA_CLUSTER_ARN: z
    .string()
    .regex(/^arn:[^:]+:kafka:[^:]+:\d*:cluster\/.+$/, 'expected the ARN of an MSK cluster')
    .optional(),
};

/** {@link kafkaVariables}, read. */
export interface KafkaEnvironment {
  KAFKA_BROKERS?: string[] | undefined;
  KAFKA_CLUSTER_ARN?: string | undefined;
}

/**
 * The Kafka client that the environment describes.
 * @throws EnvironmentError unless exactly one of KAFKA_BROKERS and KAFKA_CLUSTER_ARN is set
 */
export function createKafkaOf(environment: KafkaEnvironment, clientId: string, log: Log): Kafka {
  const { KAFKA_BROKERS: brokers, KAFKA_CLUSTER_ARN: clusterArn } = environment;
  if (brokers && !clusterArn) return createKafka(clientId, brokers, log);
  if (clusterArn && !brokers) return connectKafka(clientId, mskCluster(clusterArn), log);
  throw new EnvironmentError(
    `The function's environment has ${brokers ? 'both' : 'neither'} KAFKA_BROKERS ${brokers ? 'and' : 'nor'} KAFKA_CLUSTER_ARN: set one of them.`,
  );
}

/**
 * A client of brokers that want no sign-in.
 * @param brokers `host:port`, at least one
 */
export function createKafka(clientId: string, brokers: string[], log: Log): Kafka {
  return connectKafka(clientId, { brokers }, log);
}

/** A Kafka client whose every wait is bounded: kafkajs alone retries far beyond a Lambda's time. */
function connectKafka(
  clientId: string,
  cluster: Pick<KafkaConfig, 'brokers' | 'ssl' | 'sasl'>,
  log: Log,
): Kafka {
  return new Kafka({
    clientId,
    ...cluster,
    connectionTimeout: CALL_TIMEOUTS_MS.kafkaConnection,
    authenticationTimeout: CALL_TIMEOUTS_MS.kafkaSignIn,
    requestTimeout: CALL_TIMEOUTS_MS.kafka,
    retry: KAFKA_RETRY,
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ log: entry }) => {
        const { message, timestamp: _, logger: __, ...detail } = entry;
        log.warn(`kafkajs: ${message}`, detail);
      },
  });
}
