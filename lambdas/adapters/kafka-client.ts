import { Kafka, logLevel } from 'kafkajs';
import type { Log } from '../domain/log.ts';

/**
 * A Kafka client whose every wait is bounded: kafkajs alone retries far beyond a Lambda's time.
 * @param brokers `host:port`, at least one
 */
export function createKafka(clientId: string, brokers: string[], log: Log): Kafka {
  return new Kafka({
    clientId,
    brokers,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 },
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ log: entry }) => {
        const { message, timestamp: _, logger: __, ...detail } = entry;
        log.warn(`kafkajs: ${message}`, detail);
      },
  });
}
