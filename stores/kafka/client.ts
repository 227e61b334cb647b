import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import * as z from 'zod';
import { CALL_TIMEOUTS_MS, KAFKA_RETRY } from '../../core/runtime/budgets.ts';
import { brokerList, EnvironmentError } from '../../core/runtime/environment.ts';
import type { Log } from '../../core/runtime/log.ts';
import { mskCluster } from './msk-cluster.ts';

/** The environment of a function that uses Kafka: exactly one of the two. */
export const kafkaVariables = {
  /** Brokers without authentication, on one machine: `host:port,host:port`. */
  KAFKA_BROKERS: brokerList.optional(),
  /** An Amazon MSK cluster with IAM authentication. */
  KAFKA_CLUSTER_ARN: z
    .string()
    .regex(/^arn:[^:]+:kafka:[^:]+:\d*:cluster\/.+$/, 'expected the ARN of an MSK cluster')
    .optional(),
};

/** {@link kafkaVariables}, parsed. */
export interface KafkaEnvironment {
  KAFKA_BROKERS?: string[] | undefined;
  KAFKA_CLUSTER_ARN?: string | undefined;
}

/**
 * The client that the environment describes.
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

/** A client of brokers without authentication, each `host:port`. */
export function createKafka(clientId: string, brokers: string[], log: Log): Kafka {
  return connectKafka(clientId, { brokers }, log);
}

/** A client that bounds every wait: by default kafkajs retries far beyond a Lambda's time. */
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
