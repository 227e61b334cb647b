import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { EnvironmentError, readEnvironment } from '../../../../core/runtime/environment.ts';
import { createKafkaOf, kafkaVariables } from '../../../../stores/kafka/client.ts';

const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
const CLUSTER = 'arn:aws:kafka:eu-central-1:111122223333:cluster/dev/0f0f-1';

const kafkaOf = (environment: NodeJS.ProcessEnv) =>
  createKafkaOf(readEnvironment(z.object(kafkaVariables), environment), 'test', log);

describe('the environment of a function that uses Kafka', () => {
  it('names brokers or an MSK cluster', () => {
    expect(kafkaOf({ KAFKA_BROKERS: '127.0.0.1:9092' })).toBeDefined();
    expect(kafkaOf({ KAFKA_CLUSTER_ARN: CLUSTER })).toBeDefined();
  });

  it('cannot name both', () => {
    expect(() => kafkaOf({ KAFKA_BROKERS: '127.0.0.1:9092', KAFKA_CLUSTER_ARN: CLUSTER })).toThrow(
      new EnvironmentError(
        'The function’s environment has both KAFKA_BROKERS and KAFKA_CLUSTER_ARN: set one of them.'.replace(
          '’',
          "'",
        ),
      ),
    );
  });

  it('cannot name neither', () => {
    expect(() => kafkaOf({})).toThrow('neither KAFKA_BROKERS nor KAFKA_CLUSTER_ARN: set one of them.');
  });

  it('cannot name an ARN that is not a cluster’s', () => {
    expect(() => kafkaOf({ KAFKA_CLUSTER_ARN: 'my-cluster' })).toThrow('expected the ARN of an MSK cluster');
  });
});
