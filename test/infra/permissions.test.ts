import { describe, expect, it } from 'vitest';
import { STAGE_NAMES, type StageName } from '../../lib/config/stages.ts';
import { EVERYTHING, synthesise } from './synthesised.ts';

interface Statement {
  Effect: string;
  Condition?: unknown;
  Action: string | string[];
  Resource: unknown;
  NotAction?: unknown;
}

/** Every statement of the stage's roles that allows something. */
function statementsOf(stage: StageName, settings = {}): [policy: string, Statement][] {
  return allStatementsOf(stage, settings).filter(([, { Effect }]) => Effect === 'Allow');
}

function allStatementsOf(stage: StageName, settings = {}): [policy: string, Statement][] {
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

/** Actions that are allowed on `*`, and their purpose. */
const ON_EVERYTHING = new Set([
  // Lambda attaches a function to the VPC. All of EC2 is denied to the function's code.
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
  const statements = statementsOf(stage, EVERYTHING);

  it('has * as a resource only for what Lambda does itself, and for actions that accept nothing narrower', () => {
    for (const [policy, { Action, Resource }] of statements) {
      if (![Resource].flat().includes('*')) continue;
      for (const action of [Action].flat()) {
        expect(ON_EVERYTHING, `${policy} may ${action} on *`).toContain(action);
      }
    }
  });

  it('is allowed actions by name, never by pattern', () => {
    for (const [policy, { Action, NotAction }] of statements) {
      expect(NotAction, policy).toBeUndefined();
      for (const action of [Action].flat()) expect(action, policy).not.toContain('*');
    }
  });

  it('that may use EC2 is Lambda’s own: the code of its function may not', () => {
    const inEc2 = statements.filter(([, { Action }]) =>
      [Action].flat().some((each) => each.startsWith('ec2:')),
    );
    const functions = new Set(inEc2.map(([policy]) => policy.split('RoleDefaultPolicy')[0] as string));
    expect(functions.size).toBeGreaterThan(7);
    const denied = allStatementsOf(stage, EVERYTHING).filter(([, { Effect }]) => Effect === 'Deny');
    const denials = new Map(denied.map(([policy, denial]) => [policy.split('RoleDefaultPolicy')[0], denial]));
    for (const name of functions) {
      expect(denials.get(name), name).toMatchObject({
        Action: 'ec2:*',
        Resource: '*',
        Condition: { Null: { 'lambda:SourceFunctionArn': 'false' } },
      });
    }
  });
});

/** Trusted without a condition, and why. */
const TRUSTED_AS_IT_IS: Readonly<Record<string, string>> = {
  'ec2.amazonaws.com': 'EC2 does not say for whom it acts; a role can only be passed within its account.',
  's3.amazonaws.com':
    'No condition is documented for replication; the role only reads the lake and writes its replica.',
  'chatbot.amazonaws.com': 'No condition is documented; the role has no permissions.',
};

describe.each(STAGE_NAMES)('a service that is trusted in %s', (stage) => {
  it('is trusted only while it acts for this account', () => {
    const trusts: { resource: string; service: string; condition: string }[] = [];
    const find = (resource: string, value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      const { Effect, Principal, Condition } = value as Record<string, unknown>;
      const service = (Principal as { Service?: unknown } | undefined)?.Service;
      if (Effect === 'Allow' && service !== undefined) {
        for (const each of [service].flat()) {
          const name = typeof each === 'string' ? each : JSON.stringify(each);
          trusts.push({ resource, service: name, condition: JSON.stringify(Condition ?? {}) });
        }
      }
      for (const inside of Object.values(value)) find(resource, inside);
    };
    for (const template of Object.values(synthesise(stage, EVERYTHING))) {
      for (const [id, resource] of Object.entries(template.toJSON().Resources)) find(id, resource);
      // Its policy is text with references in it.
      for (const [id, { Properties }] of Object.entries(
        template.findResources('AWS::Logs::ResourcePolicy'),
      )) {
        const text = Properties.PolicyDocument['Fn::Join'][1].map((part: unknown) =>
          typeof part === 'string' ? part : 'a-reference',
        );
        find(id, JSON.parse(text.join('')));
      }
    }
    const ofAnyone = trusts.filter(
      ({ service, condition }) =>
        !/"(aws:SourceAccount|kms:EncryptionContext:aws:logs:arn)":/.test(condition) &&
        !(service in TRUSTED_AS_IT_IS),
    );
    expect(trusts.length).toBeGreaterThan(20);
    expect(trusts.map(({ resource }) => resource)).toContainEqual(expect.stringMatching(/^SearchWriteLogs/));
    expect(ofAnyone).toEqual([]);
  });
});

describe('by function', () => {
  const statements = statementsOf('dev');
  const actionsOf = (policy: string) =>
    statements
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

  it('ingest locks its own batches, if they are to be locked, and frees none', () => {
    const locking = statementsOf('prod', { lake: { lockDays: 30 } }).filter(([, { Action }]) =>
      [Action].flat().some((action) => /Retention|LegalHold|Lock/.test(action)),
    );
    expect(locking).toEqual([
      [
        expect.stringMatching(/^SourcekrakenIngestFunction/),
        expect.objectContaining({ Action: 's3:PutObjectRetention' }),
      ],
    ]);
    expect(JSON.stringify(locking)).toContain('/tickers/exchange=kraken/category=spot/*');
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
    const readers = statements.filter(([, { Action }]) =>
      [Action].flat().includes('secretsmanager:GetSecretValue'),
    );
    expect(readers.map(([id]) => id)).toEqual([expect.stringMatching(/^SetupFunction/)]);
  });

  const resourcesOf = (policy: string, action: RegExp) =>
    statements
      .filter(
        ([id, { Action }]) => id.startsWith(policy) && [Action].flat().some((each) => action.test(each)),
      )
      .map(([, { Resource }]) => JSON.stringify(Resource));

  it('candles-ccxt only writes recorded candles', () => {
    expect(actionsOf('CandleFetcherFunction')).toEqual(['s3:PutObject']);
    expect(resourcesOf('CandleFetcherFunction', /^s3:/)).toEqual([expect.stringContaining('/candles/*')]);
  });

  it('compact reads tickers, recorded candles and Parquet, writes only Parquet, and deletes nothing', () => {
    expect(actionsOf('CompactorFunction')).toEqual(['s3:GetObject', 's3:ListBucket', 's3:PutObject']);
    const foldersOf = (action: RegExp) =>
      [
        ...resourcesOf('CompactorFunction', action)
          .join()
          .matchAll(/"\/([^"]+)"/g),
      ]
        .map(([, key]) => key)
        .sort();
    expect(foldersOf(/^s3:GetObject/)).toEqual(['candles/*', 'columns/*', 'tickers/*']);
    expect(foldersOf(/^s3:PutObject/)).toEqual(['columns/*']);
  });

  it('ingest writes the objects of its own markets, and reads and lists nothing of another’s', () => {
    const own = '/exchange=kraken/category=spot';
    const written = resourcesOf('SourcekrakenIngestFunction', /^s3:PutObject/).join();
    const keys = [...written.matchAll(/"(\/[^"]+)"/g)].map(([, key]) => key);
    expect(keys.sort()).toEqual([
      `/rejected${own}/*`,
      `/state${own}.json`,
      `/state/failures${own}/*`,
      `/state/listings${own}/*`,
      `/state/unreadable${own}/*`,
      `/tickers${own}/*`,
    ]);
    const read = [`state${own}.json`, 'state/kraken.json', `tickers${own}/*`];
    const readable = resourcesOf('SourcekrakenIngestFunction', /^s3:GetObject/).join();
    expect([...readable.matchAll(/"\/([^"]+)"/g)].map(([, key]) => key).sort()).toEqual(read);
    const listing = statements.find(
      ([id, { Action }]) => id.startsWith('SourcekrakenIngestFunction') && Action === 's3:ListBucket',
    );
    expect(listing?.[1].Condition).toEqual({ StringLike: { 's3:prefix': expect.arrayContaining(read) } });
    expect(JSON.stringify(listing).match(/(tickers|state)\//g)).toHaveLength(read.length);
  });

  it('operate never writes or deletes tickers or the markers of polls', () => {
    const folders = resourcesOf('OperatorFunction', /^s3:(Put|Delete)/);
    expect(folders.length).toBeGreaterThan(0);
    for (const folder of folders) expect(folder).not.toMatch(/\/(tickers|state)\//);
  });
});
