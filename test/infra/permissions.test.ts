import { describe, expect, it } from 'vitest';
import { STAGE_NAMES, type StageName } from '../../lib/config/stages.ts';
import { synthesise } from './synthesised.ts';

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  NotAction?: unknown;
}

/** Every statement of the stage's roles. */
function statementsOf(stage: StageName, settings = {}): [policy: string, Statement][] {
  const { stateful, stateless } = synthesise(stage, settings);
  return [stateful, stateless].flatMap((template) =>
    [...Object.entries(template.findResources('AWS::IAM::Policy'))].flatMap(([id, { Properties }]) =>
      (Properties.PolicyDocument.Statement as Statement[]).map((statement): [string, Statement] => [
        id,
        statement,
      ]),
    ),
  );
}

/** Actions that accept no other resource than `*`, and their purpose. */
const WITHOUT_RESOURCE = new Set([
  // Lambda attaches a function to the VPC.
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
  // Lambda puts its pollers into the brokers' network.
  'ec2:DescribeSecurityGroups',
  'ec2:DescribeVpcs',
  // Functions look up the addresses of the brokers.
  'kafka:GetBootstrapBrokers',
  // Traces.
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
]);

describe.each(STAGE_NAMES)('a role of %s', (stage) => {
  const statements = statementsOf(stage, { bastion: true });

  it('has * as a resource only for actions that accept nothing narrower', () => {
    for (const [policy, { Action, Resource }] of statements) {
      if (![Resource].flat().includes('*')) continue;
      for (const action of [Action].flat()) {
        expect(WITHOUT_RESOURCE, `${policy} may ${action} on *`).toContain(action);
      }
    }
  });

  it('is allowed actions by name, never by pattern', () => {
    for (const [policy, { Effect, Action, NotAction }] of statements) {
      expect(Effect, policy).toBe('Allow');
      expect(NotAction, policy).toBeUndefined();
      for (const action of [Action].flat()) expect(action, policy).not.toContain('*');
    }
  });
});

describe('by function', () => {
  const actionsOf = (policy: string) =>
    statementsOf('dev')
      .filter(([id]) => id.startsWith(policy))
      .flatMap(([, { Action }]) => [Action].flat())
      .filter((action) => /^(s3|kafka-cluster|secretsmanager|es|iam):/.test(action))
      .sort();

  it('ingest writes to the lake and the stream, and reads what it wrote', () => {
    expect(actionsOf('SourcekrakenIngestFunction')).toEqual([
      'kafka-cluster:Connect',
      'kafka-cluster:DescribeTopic',
      'kafka-cluster:WriteData',
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
    ]);
  });

  it('index reads the stream in its own group, and leaves dead letters', () => {
    expect(actionsOf('IndexerFunction')).toEqual([
      'kafka-cluster:AlterGroup',
      'kafka-cluster:Connect',
      'kafka-cluster:DescribeClusterDynamicConfiguration',
      'kafka-cluster:DescribeGroup',
      'kafka-cluster:DescribeTopic',
      'kafka-cluster:ReadData',
      's3:ListBucket',
      's3:PutObject',
    ]);
  });

  it('summarise, insights and watch touch neither lake nor stream', () => {
    expect(actionsOf('SummariserFunction')).toEqual([]);
    expect(actionsOf('InsightsFunction')).toEqual([]);
    expect(actionsOf('WatchFunction')).toEqual([]);
  });

  it('setup alone reads the passwords', () => {
    expect(actionsOf('SetupFunction')).toEqual(['s3:PutObject', 'secretsmanager:GetSecretValue']);
    const readers = statementsOf('dev').filter(([, { Action }]) =>
      [Action].flat().includes('secretsmanager:GetSecretValue'),
    );
    expect(readers.map(([id]) => id)).toEqual([expect.stringMatching(/^SetupFunction/)]);
  });

  const resourcesOf = (policy: string, action: RegExp) =>
    statementsOf('dev')
      .filter(
        ([id, { Action }]) => id.startsWith(policy) && [Action].flat().some((each) => action.test(each)),
      )
      .map(([, { Resource }]) => JSON.stringify(Resource));

  it('candles-ccxt only writes recorded candles', () => {
    expect(actionsOf('CandleFetcherFunction')).toEqual(['s3:PutObject']);
    expect(resourcesOf('CandleFetcherFunction', /^s3:/)).toEqual([expect.stringContaining('/candles/*')]);
  });

  it('operate never writes or deletes tickers or the markers of polls', () => {
    const folders = resourcesOf('OperatorFunction', /^s3:(Put|Delete)/);
    expect(folders.length).toBeGreaterThan(0);
    for (const folder of folders) expect(folder).not.toMatch(/\/(tickers|state)\//);
  });
});
