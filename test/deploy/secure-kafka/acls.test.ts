import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../permissions.ts';
import { clusterAccess, KafkaPolicyError } from './acls.ts';

const CLUSTER = 'arn:aws:kafka:us-east-1:123456789012:cluster/MyTestCluster/abcd1234-1';
const on = (rest: string) => `arn:aws:kafka:us-east-1:123456789012:${rest}`;
const policy = (...statements: [actions: string[], resource: string][]): Policy[] => [
  {
    Version: '2012-10-17',
    Statement: statements.map(([actions, Resource]) => ({
      Effect: 'Allow',
      Action: actions.map((action) => `kafka-cluster:${action}`),
      Resource,
    })),
  },
];

const { AclOperationTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const nameOf = (types: object, value: unknown) =>
  Object.entries(types).find(([, each]) => each === value)?.[0];

/** Each ACL in words. */
function allowedBy(policies: Policy[]): string[] {
  return clusterAccess(policies, CLUSTER).acls.map((acl) =>
    [
      nameOf(AclOperationTypes, acl.operation),
      nameOf(AclResourceTypes, acl.resourceType),
      nameOf(ResourcePatternTypes, acl.resourcePatternType),
      acl.resourceName,
    ].join(' '),
  );
}

describe('policies as ACLs', () => {
  it('say what the examples of AWS say, each thing once', () => {
    expect(
      allowedBy(
        policy(
          [['Connect', 'AlterCluster', 'DescribeCluster'], CLUSTER],
          [['Connect', 'DescribeCluster'], CLUSTER],
          [['*Topic', 'WriteData'], on('topic/MyTestCluster/*')],
          [['DescribeGroup'], on('group/MyTestCluster/abcd1234-1/mine-*')],
        ),
      ),
    ).toEqual([
      'ALTER CLUSTER LITERAL kafka-cluster',
      'DESCRIBE CLUSTER LITERAL kafka-cluster',
      'CREATE TOPIC LITERAL *',
      'DESCRIBE TOPIC LITERAL *',
      'ALTER TOPIC LITERAL *',
      'DELETE TOPIC LITERAL *',
      'WRITE TOPIC LITERAL *',
      'DESCRIBE GROUP PREFIXED mine-',
    ]);
  });

  it('allow nothing on another cluster', () => {
    expect(clusterAccess(policy([['Connect'], on('cluster/Other/abcd1234-1')]), CLUSTER)).toEqual({
      mayConnect: false,
      acls: [],
    });
  });

  it('are refused if an action lacks what it needs, or an ACL cannot say it', () => {
    const writes = policy([['Connect'], CLUSTER], [['WriteData'], on('topic/MyTestCluster/abcd1234-1/a')]);
    expect(() => allowedBy(writes)).toThrow(/WriteData allows nothing without DescribeTopic/);
    const ends = policy(
      [['Connect'], CLUSTER],
      [['DescribeTopic'], on('topic/MyTestCluster/abcd1234-1/*_test')],
    );
    expect(() => allowedBy(ends)).toThrow(KafkaPolicyError);
  });
});
