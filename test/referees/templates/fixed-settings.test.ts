import { readFileSync } from 'node:fs';
import { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { FIXED_SETTINGS, fixedValuesOf, refusedChanges } from '../../../lib/config/fixed-settings.ts';
import { layOver, type StageSettings } from '../../../lib/config/settings.ts';
import { stageConfig } from '../../../lib/config/stages.ts';
import { StatefulStack } from '../../../lib/stacks/stateful-stack.ts';
import { appWithoutBundles } from '../../../scale/inventory.ts';
import { bybit } from '../../infra/synthesised.ts';
import { registrySchemas } from './cfn-lint.ts';

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
}

/** What holds data, or cannot be replaced while something that does is in it. */
const KEPT = [
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::Subnet',
  'AWS::EC2::VPC',
  'AWS::Glue::Database',
  'AWS::Glue::Table',
  'AWS::KMS::Key',
  'AWS::MSK::Cluster',
  'AWS::MSK::Topic',
  'AWS::OpenSearchService::Domain',
  'AWS::S3::Bucket',
  'AWS::SecretsManager::Secret',
];

/** By type, what CloudFormation can only set when it creates a resource: `BrokerNodeGroupInfo/ClientSubnets`. */
const createOnly = new Map<string, string[]>();
beforeAll(async () => {
  const schemaOf = await registrySchemas('us-east-1');
  for (const type of KEPT) {
    const { createOnlyProperties = [] } = schemaOf(type) ?? {};
    createOnly.set(
      type,
      createOnlyProperties.map((pointer) => pointer.replace('/properties/', '')),
    );
  }
}, 300_000);

function keptIn(settings: StageSettings): Map<string, Resource> {
  const stack = new StatefulStack(appWithoutBundles(), 'Stateful', { config: stageConfig('dev', settings) });
  const { Resources } = Template.fromStack(stack).toJSON() as { Resources: Record<string, Resource> };
  return new Map(Object.entries(Resources).filter(([, { Type }]) => KEPT.includes(Type)));
}

const at = (properties: unknown, pointer: string) =>
  pointer
    .split('/')
    .reduce<unknown>((inside, key) => (inside as Record<string, unknown> | undefined)?.[key], properties);

/** What a change of settings would replace or remove. */
function replaced(before: Map<string, Resource>, after: Map<string, Resource>): string[] {
  return [...before].flatMap(([id, { Type, Properties }]) => {
    const changed = after.get(id);
    if (!changed) return [`${id} is gone`];
    return (createOnly.get(Type) ?? [])
      .filter((each) => JSON.stringify(at(Properties, each)) !== JSON.stringify(at(changed.Properties, each)))
      .map((each) => `${id} has another ${each}`);
  });
}

const SUBNETS = ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'];
const BASE: StageSettings = { stream: { brokers: 6, topic: { replicationFactor: 3 } } };

/** For each setting of the stateful part, and for the others together, another value. */
const NEIGHBOURS: Record<string, StageSettings> = {
  dataOnRemoval: { dataOnRemoval: 'retain' },
  'network.availabilityZones': { network: { availabilityZones: 3 } },
  'network.zones': { network: { zones: ['eu-central-1a', 'eu-central-1b'] } },
  'network.natGateways': { network: { natGateways: 2 } },
  'network.flowLog': { network: { flowLog: 'ALL' } },
  'network.existing': {
    network: {
      existing: {
        vpcId: 'vpc-0123456789abcdef0',
        availabilityZones: ['eu-central-1a', 'eu-central-1b'],
        privateSubnetIds: SUBNETS,
      },
    },
  },
  'stream.existing': {
    stream: { existing: { clusterArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/theirs/0f0f-1' } },
  },
  'stream.clusterName': { stream: { clusterName: 'mine' } },
  'stream.kafkaVersion': { stream: { kafkaVersion: '4.1.x.kraft' } },
  'stream.instanceType': { stream: { instanceType: 'kafka.m7g.xlarge' } },
  'stream.brokers': { stream: { brokers: 12 } },
  'stream.storageGb': { stream: { storageGb: 20 } },
  'stream.monitoring': { stream: { monitoring: 'PER_BROKER' } },
  'stream.topic.name': { stream: { topic: { name: 'prices' } } },
  'stream.topic.partitions': { stream: { topic: { partitions: 6 } } },
  'stream.topic.replicationFactor': { stream: { topic: { replicationFactor: 2 } } },
  'stream.topic.minInsyncReplicas': { stream: { topic: { minInsyncReplicas: 2 } } },
  'stream.topic.retentionHours': { stream: { topic: { retentionHours: 24 } } },
  'search.dataNodes': { search: { dataNodes: 2 } },
  'search.dataNodeType': { search: { dataNodeType: 'r7g.large.search' } },
  'search.managers': { search: { managers: { nodes: 3, nodeType: 'm7g.medium.search' } } },
  'search.volumeGb': { search: { volumeGb: 100 } },
  'search.indices.shards': { search: { indices: { shards: 2 } } },
  sources: { sources: [bybit] },
  'everything else': {
    functions: { operate: { memoryMb: 2_048, maxAtOnce: 2 } },
    lake: { acceptsCopies: true },
    index: { provisioned: true },
    summarise: { moveThresholds: [0.5] },
    reservedConcurrency: true,
    retention: { logDays: 30, tickDays: 60, oldVersionDays: 14, rejectedDays: 90 },
    bastion: true,
    alarms: { pages: ['on-call@example.com'] },
    budget: { monthlyUsd: 500 },
  },
};

/** MSK, not CloudFormation, refuses these. */
const REFUSED_BY_MSK = FIXED_SETTINGS.filter(({ allows }) => allows).map(({ path }) => path);

describe('a setting that CloudFormation can only change by replacing what is kept', () => {
  it('is one of the fixed ones, and no other is', () => {
    const before = keptIn(BASE);
    const replacing = Object.entries(NEIGHBOURS)
      .filter(([, settings]) => replaced(before, keptIn(layOver(BASE, settings) as StageSettings)).length > 0)
      .map(([path]) => path);
    const fixed = FIXED_SETTINGS.map(({ path }) => path).filter((path) => !REFUSED_BY_MSK.includes(path));
    expect(replacing).toEqual(fixed);
  }, 120_000);

  it('has a neighbour, as every setting of network, stream and domain has', () => {
    const leaves = (value: unknown, path: string): string[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, each]) => leaves(each, `${path}.${key}`))
        : [path];
    const { network, stream, search } = stageConfig('dev');
    const settings = [
      ...leaves(network, 'network'),
      ...leaves(stream, 'stream'),
      ...leaves(search, 'search'),
    ];
    expect(settings.filter((path) => !NEIGHBOURS[path] && !path.startsWith('search.indices.'))).toEqual([]);
  });

  it('is on the page about AWS, and marked where it is declared', () => {
    const page = readFileSync(new URL('../../../docs/aws.md', import.meta.url), 'utf8');
    const schema = readFileSync(new URL('../../../lib/config/stage-config.ts', import.meta.url), 'utf8');
    for (const { path } of FIXED_SETTINGS) {
      expect(page).toContain(`| \`${path}\` |`);
      const key = path.slice(path.lastIndexOf('.') + 1);
      expect(schema).toMatch(new RegExp(`fixed-settings\\.ts[^/]*\\*/\\s+${key}:`));
    }
  });
});

const values = (settings: StageSettings) => fixedValuesOf(stageConfig('dev', settings));

describe('a change of a fixed setting', () => {
  it('is refused with a sentence that says what to do, unless it is accepted', () => {
    const [before, after] = [values({}), values({ network: { zones: ['us-east-1a', 'us-east-1b'] } })];
    expect(refusedChanges(before, after, [])).toEqual([
      'network.zones cannot change from "not set" to ["us-east-1a","us-east-1b"]: it replaces the subnets, and with them Kafka and OpenSearch with all that they hold. Deploy a second stage with it, copy the lake and rebuild. (-c acceptReplacement=network.zones deploys it anyway.)',
    ]);
    expect(refusedChanges(before, after, ['network.zones'])).toEqual([]);
    expect(refusedChanges(before, after, ['true'])).toEqual([]);
    expect(refusedChanges(before, before, [])).toEqual([]);
  });

  it.each<[string, StageSettings, StageSettings, number]>([
    ['more storage', {}, { stream: { storageGb: 20 } }, 0],
    ['less storage', {}, { stream: { storageGb: 9 } }, 1],
    ['more partitions', {}, { stream: { topic: { partitions: 12 } } }, 0],
    ['fewer partitions', { stream: { topic: { partitions: 12 } } }, {}, 1],
    ['a larger broker', { stream: { instanceType: 'kafka.t3.small' } }, {}, 0],
    ['a T3 broker again', {}, { stream: { instanceType: 'kafka.t3.small' } }, 1],
    ['a newer Kafka', {}, { stream: { kafkaVersion: '3.10.x.kraft' } }, 0],
    ['an older Kafka', { stream: { kafkaVersion: '3.10.x.kraft' } }, {}, 1],
  ])('%s', (_, before, after, refused) => {
    expect(refusedChanges(values(before), values(after), [])).toHaveLength(refused);
  });

  it('is not noticed where nothing was recorded', () => {
    expect(refusedChanges({}, values({}), [])).toEqual([]);
  });
});
