import { describe, expect, it } from 'vitest';
import type { Account, Needs } from '../../../../../core/operate/preflight/ports.ts';
import { preflight } from '../../../../../core/operate/preflight/preflight.ts';

const ZONES = ['us-east-1a', 'us-east-1b', 'us-east-1c'];

/** An account in which nothing stands in the way of a deployment. */
function account(differences: Partial<Account> = {}): Account {
  return {
    identity: async () => ({
      account: '111122223333',
      arn: 'arn:aws:iam::111122223333:user/someone',
      region: 'us-east-1',
    }),
    concurrency: async () => ({ quota: 1_000, reserved: 0 }),
    zones: async () => ZONES.map((name, position) => ({ name, id: `use1-az${position + 4}` })),
    defaultZones: async () => ZONES,
    kafkaVersions: async () => ['3.8.x', '3.9.x.kraft', '4.1.x.kraft'],
    brokerVerdict: async () => ({ accepted: true }),
    searchVersions: async () => ['OpenSearch_3.5', 'OpenSearch_2.19'],
    searchNodeTypes: async () => new Map([['t3.medium.search', ZONES]]),
    hasRole: async () => true,
    logPolicies: async () => [],
    vpcs: async () => ({ used: 1, quota: 5 }),
    addresses: async () => ({ used: 0, quota: 5 }),
    natGateways: async () => ({ used: 0, quota: 5 }),
    bootstrapVersion: async () => 30,
    stackStatus: async () => undefined,
    ...differences,
  };
}

const NEEDS: Needs = {
  stage: 'dev',
  statefulStack: 'crypto-market-insights-dev-stateful',
  network: { zones: 2, natGateways: 1 },
  brokers: { instanceType: 'kafka.m7g.large', kafkaVersion: '3.9.x.kraft' },
  search: { version: 'OpenSearch_3.5', nodeTypes: ['t3.medium.search'] },
  executions: { atOnce: 8, reserved: 0, assumedQuota: 1_000 },
  logPolicy: 'crypto-market-insights-dev-stateful-opensearch',
  sources: [{ name: 'kraken', refusedRegions: [], elsewhere: false, poll: async () => ({ tickers: 1_100 }) }],
};
const SAFE = { name: 'kraken', settings: { sources: ['kraken'] } };

async function found(differences: Partial<Account>, needs: Partial<Needs> = {}) {
  const findings = await preflight(account(differences), { ...NEEDS, ...needs }, SAFE);
  return findings.filter(({ status }) => status !== 'ok');
}

const refused = async () => {
  throw Object.assign(new Error('User is not authorized'), { name: 'AccessDeniedException' });
};

describe('preflight', () => {
  it('has nothing against an account that has what the stage needs', async () => {
    const findings = await preflight(account(), NEEDS, SAFE);
    expect(findings.map(({ name, status }) => [name, status])).toEqual(
      [
        'account',
        'stage',
        'bootstrap',
        'Lambda executions',
        'zones',
        'network',
        'Kafka version',
        'broker type',
        'OpenSearch',
        'service roles',
        'log policies',
        'source kraken',
      ].map((name) => [name, 'ok']),
    );
    expect(findings.flatMap(({ settings }) => settings ?? [])).toEqual([]);
  });

  it('stops if nobody is signed in', async () => {
    expect(await preflight(account({ identity: refused }), NEEDS, SAFE)).toEqual([
      expect.objectContaining({ name: 'account', status: 'fail' }),
    ]);
  });

  it('warns of what it could not find out, and continues', async () => {
    const findings = await found({ kafkaVersions: refused, logPolicies: refused });
    expect(findings.map(({ name, status }) => [name, status])).toEqual([
      ['Kafka version', 'warn'],
      ['log policies', 'warn'],
    ]);
    expect(findings[0]?.finding).toBe('AccessDeniedException: User is not authorized');
  });
});

const reserving = { executions: { atOnce: 8, reserved: 3, assumedQuota: 1_000 } };
const quota10 = { concurrency: async () => ({ quota: 10, reserved: 0 }) };
const asZone = (id: string, name: string) => ({ id, name });
const bybit = {
  name: 'bybit',
  refusedRegions: ['us-'],
  elsewhere: false,
  poll: async () => ({ tickers: 600 }),
};

describe('an account that differs', () => {
  it.each<[string, Partial<Account>, Partial<Needs>, object]>([
    [
      'in GovCloud',
      {
        identity: async () => ({
          account: '1',
          arn: 'arn:aws-us-gov:iam::1:user/a',
          region: 'us-gov-west-1',
        }),
      },
      {},
      { name: 'account', status: 'fail' },
    ],
    [
      'new, with a quota of 10, for a stage that reserves',
      quota10,
      reserving,
      {
        name: 'Lambda executions',
        status: 'fail',
        finding: expect.stringContaining('Lambda keeps 100 unreserved: the second stack would fail'),
        settings: { reservedConcurrency: false, alarms: { concurrencyQuota: 10 } },
      },
    ],
    [
      'new, with a quota of 10, for one that does not',
      quota10,
      {},
      { name: 'Lambda executions', status: 'warn', settings: { alarms: { concurrencyQuota: 10 } } },
    ],
    [
      'with others that reserved all',
      { concurrency: async () => ({ quota: 1_000, reserved: 995 }) },
      {},
      {
        name: 'Lambda executions',
        status: 'warn',
        advice: expect.stringContaining('request a higher quota'),
      },
    ],
    [
      'whose first zone is one that MSK refuses',
      {
        zones: async () => [
          asZone('use1-az3', 'us-east-1a'),
          asZone('use1-az4', 'us-east-1b'),
          asZone('use1-az6', 'us-east-1c'),
        ],
      },
      {},
      {
        name: 'zones',
        status: 'fail',
        finding: 'us-east-1a (use1-az3): MSK refuses it',
        settings: { network: { zones: ['us-east-1b', 'us-east-1c'] } },
      },
    ],
    [
      'in whose second zone OpenSearch lacks the node type',
      { searchNodeTypes: async () => new Map([['t3.medium.search', ['us-east-1a', 'us-east-1c']]]) },
      {},
      {
        name: 'zones',
        finding: 'us-east-1b (use1-az5): OpenSearch has no t3.medium.search there',
        settings: { network: { zones: ['us-east-1a', 'us-east-1c'] } },
      },
    ],
    [
      'with a default subnet in one zone only',
      { defaultZones: async () => ['us-east-1a'] },
      {},
      {
        name: 'zones',
        finding: 'there are 1 zones instead of 2',
        settings: { network: { zones: ['us-east-1a', 'us-east-1b'] } },
      },
    ],
    [
      'in a region of two zones, for a stage of three',
      {
        zones: async () => [asZone('usw1-az1', 'us-west-1a'), asZone('usw1-az3', 'us-west-1c')],
        searchNodeTypes: async () => new Map([['t3.medium.search', []]]),
      },
      { network: { zones: 3, natGateways: 3, names: ['us-west-1a', 'us-west-1b', 'us-west-1c'] } },
      {
        name: 'zones',
        status: 'fail',
        finding: 'us-west-1b does not exist here',
        advice:
          'us-west-1a and us-west-1c will do: set "network.availabilityZones" to 2, or choose another region.',
      },
    ],
    [
      'without room for a VPC and its address',
      { vpcs: async () => ({ used: 5, quota: 5 }), addresses: async () => ({ used: 5, quota: 5 }) },
      {},
      {
        name: 'network',
        status: 'fail',
        advice: 'Release some, or request a higher quota: VPCs, elastic IP addresses.',
      },
    ],
    [
      'where MSK refuses the small broker',
      { brokerVerdict: async () => ({ refused: 'Unsupported InstanceType' }) },
      { brokers: { instanceType: 'kafka.t3.small', kafkaVersion: '4.1.x.kraft' } },
      {
        name: 'broker type',
        status: 'fail',
        finding: 'MSK refuses kafka.t3.small with 4.1.x.kraft: Unsupported InstanceType',
        settings: { stream: { instanceType: 'kafka.m7g.large' } },
      },
    ],
    [
      'where MSK does not tell',
      { brokerVerdict: async () => ({ unknown: 'AccessDeniedException: no' }) },
      {},
      { name: 'broker type', status: 'warn' },
    ],
    [
      'without the version of Kafka',
      { kafkaVersions: async () => ['3.9.x', '4.1.x.kraft'] },
      {},
      { name: 'Kafka version', status: 'fail', advice: 'Set "stream.kafkaVersion" to one of 4.1.x.kraft.' },
    ],
    [
      'without the version of OpenSearch',
      { searchVersions: async () => ['OpenSearch_2.19', 'Elasticsearch_7.10'] },
      {},
      { name: 'OpenSearch', finding: 'OpenSearch_3.5 is not offered here; available: OpenSearch_2.19' },
    ],
    [
      'without the node type',
      { searchNodeTypes: async () => new Map() },
      {},
      {
        name: 'OpenSearch',
        status: 'fail',
        finding: 't3.medium.search is not offered here with OpenSearch_3.5',
      },
    ],
    [
      'with nine policies for logs',
      { logPolicies: async () => Array.from({ length: 9 }, (_, n) => `theirs-${n}`) },
      {},
      { name: 'log policies', status: 'fail', finding: '9 of 10, 2 more needed' },
    ],
    [
      'never bootstrapped',
      { bootstrapVersion: async () => undefined },
      {},
      { name: 'bootstrap', status: 'warn', advice: 'Run "npx cdk bootstrap" before the deployment.' },
    ],
    [
      'with what a failed deployment left',
      { stackStatus: async () => 'ROLLBACK_COMPLETE' },
      {},
      { name: 'stage', status: 'fail', advice: expect.stringContaining('npx cdk destroy --all') },
    ],
    [
      'in a region that the exchange refuses, whatever it answers here',
      {},
      { sources: [bybit] },
      {
        name: 'source bybit',
        status: 'fail',
        finding: 'bybit refuses addresses in us-east-1, whatever it answers here',
        settings: SAFE.settings,
      },
    ],
    [
      'from where the exchange is blocked',
      {},
      {
        sources: [
          {
            ...bybit,
            refusedRegions: [],
            poll: () => Promise.reject(new Error('403: the exchange does not serve this region')),
          },
        ],
      },
      {
        name: 'source bybit',
        status: 'warn',
        finding: 'bybit did not answer this machine: 403: the exchange does not serve this region',
        advice: expect.stringContaining('AWS CloudShell in us-east-1'),
      },
    ],
  ])('%s', async (_, differences, needs, finding) => {
    expect(await found(differences, needs)).toEqual([expect.objectContaining(finding)]);
  });

  it('and is deployed already needs no room for another', async () => {
    const full = { used: 5, quota: 5 };
    expect(
      await found({
        stackStatus: async () => 'UPDATE_ROLLBACK_COMPLETE',
        vpcs: async () => full,
        addresses: async () => full,
      }),
    ).toEqual([]);
  });

  it('is of no concern where the stage brings its own cluster and network', async () => {
    const { network: _, brokers: __, ...needs } = NEEDS;
    const theirs = account({ kafkaVersions: refused, brokerVerdict: refused, zones: refused, vpcs: refused });
    const findings = await preflight(theirs, needs, SAFE);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
  });
});
