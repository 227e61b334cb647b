import { type KafkaConfig, logLevel, type RetryOptions } from 'kafkajs';
import * as z from 'zod';
import { CALL_TIMEOUTS_MS, KAFKA_RETRY } from '../../core/runtime/budgets.ts';
import { brokerList, EnvironmentError } from '../../core/runtime/environment.ts';
import type { Log } from '../../core/runtime/log.ts';
import { Kafka } from './kafkajs.ts';
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
export function createKafkaOf(
  environment: KafkaEnvironment,
  clientId: string,
  log: Log,
  retry: RetryOptions = KAFKA_RETRY,
): Kafka {
  const { KAFKA_BROKERS: brokers, KAFKA_CLUSTER_ARN: clusterArn } = environment;
  if (brokers && !clusterArn) return createKafka(clientId, brokers, log, retry);
  if (clusterArn && !brokers) return connectKafka(clientId, mskCluster(clusterArn), log, retry);
  throw new EnvironmentError(
    `The function's environment has ${brokers ? 'both' : 'neither'} KAFKA_BROKERS ${brokers ? 'and' : 'nor'} KAFKA_CLUSTER_ARN: set one of them.`,
  );
}

/** A client of brokers without authentication, each `host:port`. */
export function createKafka(
  clientId: string,
  brokers: string[],
  log: Log,
  retry: RetryOptions = KAFKA_RETRY,
): Kafka {
  return connectKafka(clientId, { brokers }, log, retry);
}

/** A client that bounds every wait: by default kafkajs retries far beyond a Lambda's time. */
function connectKafka(
  clientId: string,
  cluster: Pick<KafkaConfig, 'brokers' | 'ssl' | 'sasl'>,
  log: Log,
  retry: RetryOptions,
): Kafka {
  let turn = 0;
  return new Kafka({
    clientId,
    ...cluster,
    // kafkajs asks one broker for the others. If that one is down or hangs, the next attempt asks another, also that of
    // a new producer, for which kafkajs would begin with the first again.
    brokers: async () => {
      const brokers = typeof cluster.brokers === 'function' ? await cluster.brokers() : cluster.brokers;
      return [brokers[turn++ % brokers.length] as string];
    },
    connectionTimeout: CALL_TIMEOUTS_MS.kafkaConnection,
    authenticationTimeout: CALL_TIMEOUTS_MS.kafkaSignIn,
    requestTimeout: CALL_TIMEOUTS_MS.kafka,
    retry,
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ log: entry }) => {
        const { message, timestamp: _, logger: __, ...detail } = entry;
        log.warn(`kafkajs: ${message}`, detail);
      },
  });
}
