import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { replica, synthesise } from './synthesised.ts';

const stages = { dev: synthesise('dev').stateful, prod: synthesise('prod').stateful };
const { dev, prod } = stages;
const SUBNETS = ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'];
const eachStage = Object.entries(stages);

describe('data resources keep their logical ids; otherwise CloudFormation would replace them', () => {
  it.each(eachStage)('%s', (_, template) => {
    const holdsData = [
      'AWS::KMS::Key',
      'AWS::S3::Bucket',
      'AWS::MSK::Cluster',
      'AWS::MSK::Topic',
      'AWS::OpenSearchService::Domain',
      'AWS::SecretsManager::Secret',
      'AWS::Glue::Database',
      'AWS::Glue::Table',
      'AWS::EC2::VPC',
    ];
    const ids = holdsData.flatMap((type) =>
      Object.keys(template.findResources(type)).map((id) => [type, id]),
    );
    expect(ids).toEqual([
      ['AWS::KMS::Key', 'DataKey2A0DE9E6'],
      ['AWS::S3::Bucket', 'LakeAccessLogs4431AB8D'],
      ['AWS::S3::Bucket', 'LakeBucketB1D32E10'],
      ['AWS::MSK::Cluster', 'StreamBrokersCluster09612485'],
      ['AWS::MSK::Topic', 'StreamTopicD32F3977'],
      ['AWS::OpenSearchService::Domain', 'SearchDomain62FD613E'],
      ['AWS::SecretsManager::Secret', 'SearchMasterCB1555CD'],
      ['AWS::SecretsManager::Secret', 'SearchReader43BE4D3F'],
      ['AWS::Glue::Database', 'CatalogDatabaseE63956BB'],
      ['AWS::Glue::Table', 'CatalogTickers6E3263DC'],
      ['AWS::Glue::Table', 'CatalogCandles83ED95EE'],
      ['AWS::Glue::Table', 'CatalogMoves2EF5C1B4'],
      ['AWS::Glue::Table', 'CatalogTickersRaw2F6115E4'],
      ['AWS::EC2::VPC', 'NetworkVpc7FB7348F'],
    ]);
  });
});

describe('the lake', () => {
  const sids = (template: typeof dev) =>
    JSON.stringify(template.findResources('AWS::S3::BucketPolicy')).match(/TickersAreWrittenOnce/g)?.length;

  it('lets no batch be replaced, but while another lake is copied into it', () => {
    expect(sids(dev)).toBe(1);
    expect(sids(synthesise('dev', { lake: { acceptsCopies: true } }).stateful)).toBeUndefined();
  });
});

describe('a lake whose batches are locked', () => {
  it('is a bucket with Object Lock, without a rule for what others write to it', () => {
    const { stateful } = synthesise('prod', { lake: { lockDays: 30 } });
    const locked = Object.values(stateful.findResources('AWS::S3::Bucket')).map(({ Properties }) => [
      Properties.ObjectLockEnabled,
      Properties.ObjectLockConfiguration,
    ]);
    expect(locked).toContainEqual([true, undefined]);
    expect(JSON.stringify(dev.findResources('AWS::S3::Bucket'))).not.toContain('ObjectLock');
  });
});

describe('the replica of the lake', () => {
  const { stateful } = synthesise('dev', { lake: { replica } });

  it('gets what cannot be made again, and no deletion', () => {
    const { Rules } = stateful.findResources('AWS::S3::Bucket').LakeBucketB1D32E10?.Properties
      .ReplicationConfiguration ?? { Rules: [] };
    expect(Rules).toHaveLength(4);
    for (const rule of Rules) {
      expect(rule).toMatchObject({
        Status: 'Enabled',
        DeleteMarkerReplication: { Status: 'Disabled' },
        Destination: {
          Bucket: replica.bucketArn,
          EncryptionConfiguration: { ReplicaKmsKeyID: replica.keyArn },
        },
      });
    }
    expect(Rules.map(({ Filter }: { Filter: object }) => Filter)).toEqual(
      ['tickers/', 'candles/', 'state/listings/', 'state/failures/'].map((Prefix) => ({ Prefix })),
    );
    expect(JSON.stringify(stateful.findResources('AWS::IAM::Policy'))).not.toMatch(
      /s3:(ReplicateDelete|Delete)/,
    );
  });

  it('is off unless it is set', () => {
    expect(JSON.stringify(dev.toJSON())).not.toContain('ReplicationConfiguration');
  });
});

describe('the network', () => {
  it.each(eachStage)('lets only the lake through its way to S3: %s', (_, template) => {
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', {
      VpcEndpointType: 'Gateway',
      PolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Resource: [
              { 'Fn::GetAtt': ['LakeBucketB1D32E10', 'Arn'] },
              { 'Fn::Join': ['', [{ 'Fn::GetAtt': ['LakeBucketB1D32E10', 'Arn'] }, '/*']] },
            ],
            Condition: { StringEquals: { 'aws:PrincipalAccount': { Ref: 'AWS::AccountId' } } },
          },
        ],
      },
    });
  });

  it('has a default group without rules, and logs every connection in prod', () => {
    for (const [, template] of eachStage) template.resourceCountIs('Custom::VpcRestrictDefaultSG', 1);
    dev.hasResourceProperties('AWS::EC2::FlowLog', { TrafficType: 'REJECT' });
    prod.hasResourceProperties('AWS::EC2::FlowLog', { TrafficType: 'ALL' });
  });
});

describe('the stream', () => {
  it.each(eachStage)('only accepts IAM over TLS: %s', (_, template) => {
    template.hasResourceProperties('AWS::MSK::Cluster', {
      ClientAuthentication: {
        Sasl: { Iam: { Enabled: true }, Scram: { Enabled: false } },
        Tls: { Enabled: false },
        Unauthenticated: { Enabled: false },
      },
      EncryptionInfo: {
        EncryptionAtRest: { DataVolumeKMSKeyId: Match.anyValue() },
        EncryptionInTransit: { ClientBroker: 'TLS', InCluster: true },
      },
      BrokerNodeGroupInfo: { ConnectivityInfo: { PublicAccess: { Type: 'DISABLED' } } },
    });
  });

  it('runs without ZooKeeper, on brokers that MSK certainly accepts, in three zones in prod', () => {
    dev.hasResourceProperties('AWS::MSK::Cluster', {
      KafkaVersion: Match.stringLikeRegexp('\\.kraft$'),
      NumberOfBrokerNodes: 2,
      BrokerNodeGroupInfo: { InstanceType: 'kafka.m7g.large' },
    });
    prod.hasResourceProperties('AWS::MSK::Cluster', {
      NumberOfBrokerNodes: 3,
      BrokerNodeGroupInfo: {
        InstanceType: 'kafka.m7g.large',
        ClientSubnets: [1, 2, 3].map(() => Match.anyValue()),
      },
    });
  });

  it('keeps three replicas in prod, two of them in sync at each write, as the producer compressed them', () => {
    prod.hasResourceProperties('AWS::MSK::Topic', {
      TopicName: 'tickers',
      PartitionCount: 6,
      ReplicationFactor: 3,
      Configs: Buffer.from(
        JSON.stringify({
          'cleanup.policy': 'delete',
          'retention.ms': '604800000',
          'min.insync.replicas': '2',
          'compression.type': 'producer',
        }),
      ).toString('base64'),
    });
  });

  it('can be an existing cluster', () => {
    const clusterArn = 'arn:aws:kafka:eu-central-1:111122223333:cluster/theirs/0f0f-1';
    const { stateful, stateless } = synthesise('dev', {
      stream: { existing: { clusterArn, securityGroupId: 'sg-0123456789abcdef0' } },
    });
    stateful.resourceCountIs('AWS::MSK::Cluster', 0);
    stateful.hasResourceProperties('AWS::MSK::Topic', { ClusterArn: clusterArn });
    stateful.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      GroupId: 'sg-0123456789abcdef0',
      FromPort: 9098,
      ToPort: 9098,
    });
    stateless.hasResourceProperties('AWS::Lambda::EventSourceMapping', { EventSourceArn: clusterArn });
  });
});

describe('the network', () => {
  it.each(eachStage)('only admits named groups: %s', (_, template) => {
    const open = [
      ...Object.values(template.findResources('AWS::EC2::SecurityGroup')).flatMap(
        ({ Properties }) => Properties.SecurityGroupIngress ?? [],
      ),
      ...Object.values(template.findResources('AWS::EC2::SecurityGroupIngress')).map(
        ({ Properties }) => Properties,
      ),
    ];
    expect(open.length).toBeGreaterThan(0);
    for (const rule of open) {
      expect(rule).toHaveProperty('SourceSecurityGroupId');
      expect([9098, 443]).toContain(rule.FromPort);
      expect(rule.ToPort).toBe(rule.FromPort);
    }
  });

  it('has one NAT in dev, one per zone in prod, and reaches S3 without them', () => {
    dev.resourceCountIs('AWS::EC2::NatGateway', 1);
    prod.resourceCountIs('AWS::EC2::NatGateway', 3);
    prod.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' });
  });

  it('is in the zones that are named, or in the region’s first ones', () => {
    const zonesOf = (template: typeof dev) =>
      Object.values(template.findResources('AWS::EC2::Subnet')).map(
        ({ Properties }) => Properties.AvailabilityZone,
      );
    const zones = ['us-east-1b', 'us-east-1d'];
    expect(zonesOf(synthesise('dev', { network: { zones } }).stateful)).toEqual([...zones, ...zones]);
    const byPosition = [0, 1].map((zone) => ({ 'Fn::Select': [zone, { 'Fn::GetAZs': '' }] }));
    expect(zonesOf(dev)).toEqual([...byPosition, ...byPosition]);
  });

  it('can be an existing VPC', () => {
    const { stateful } = synthesise('dev', {
      network: {
        existing: {
          vpcId: 'vpc-0123456789abcdef0',
          availabilityZones: ['eu-central-1a', 'eu-central-1b'],
          privateSubnetIds: SUBNETS,
        },
      },
    });
    stateful.resourceCountIs('AWS::EC2::VPC', 0);
    stateful.hasResourceProperties('AWS::MSK::Cluster', {
      BrokerNodeGroupInfo: { ClientSubnets: SUBNETS },
    });
  });
});

describe('the lake', () => {
  it.each(eachStage)('is versioned, encrypted, private, and logs who reads it: %s', (_, template) => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
        ],
      },
      LoggingConfiguration: { LogFilePrefix: 'lake/' },
      VersioningConfiguration: { Status: 'Enabled' },
    });
    template.allResourcesProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
  });

  it.each(eachStage)('denies access without TLS: %s', (_, template) => {
    const policies = Object.values(template.findResources('AWS::S3::BucketPolicy'));
    expect(policies).toHaveLength(2);
    for (const { Properties } of policies) {
      expect(Properties.PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({
          Effect: 'Deny',
          Action: 's3:*',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      );
    }
  });

  it('keeps every object in S3 Standard, and removes leftovers', () => {
    const { Properties } = prod.findResources('AWS::S3::Bucket').LakeBucketB1D32E10 ?? {};
    const { Rules } = Properties.LifecycleConfiguration;
    expect(JSON.stringify(Rules)).not.toContain('Transition"');
    expect(Rules).toContainEqual(
      expect.objectContaining({
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        NoncurrentVersionExpiration: { NoncurrentDays: 30 },
      }),
    );
    const expiring = Rules.flatMap(({ Prefix, ExpirationInDays }: Record<string, unknown>) =>
      ExpirationInDays === undefined ? [] : [`${Prefix} ${ExpirationInDays}`],
    );
    expect(expiring).toEqual(['rejected/ 365', 'dead-letters/ 365', 'athena-results/ 7']);
  });

  it.each([
    ['tickers_raw', ['dt', 'hour'], '/tickers/'],
    ['tickers', ['dt'], '/columns/tickers/'],
    ['candles', ['month'], '/columns/candles/'],
    ['moves', ['month'], '/columns/moves/'],
  ])('is a table whose partitions are derived from the keys: %s', (Name, folders, prefix) => {
    const partitions = ['exchange', 'category', ...folders];
    dev.hasResourceProperties('AWS::Glue::Table', {
      TableInput: {
        Name,
        PartitionKeys: partitions.map((each) => ({ Name: each, Type: 'string' })),
        Parameters: Match.objectLike({
          'projection.enabled': 'true',
          'projection.exchange.values': 'kraken',
          'projection.category.values': 'linear,inverse,spot,option',
          ...Object.fromEntries(
            folders.map((folder) => [
              `projection.${folder}.format`,
              { dt: 'yyyy-MM-dd', month: 'yyyy-MM', hour: Match.absent() }[folder],
            ]),
          ),
          'storage.location.template': Match.objectLike({
            'Fn::Join': [
              '',
              Match.arrayWith([`${prefix}${partitions.map((each) => `${each}=\${${each}}/`).join('')}`]),
            ],
          }),
        }),
      },
    });
  });

  it('moves large old batches to a cheaper class that answers at once, if a setting says when', () => {
    const transitions = (settings = {}) => {
      const buckets = Object.values(synthesise('dev', settings).stateful.findResources('AWS::S3::Bucket'));
      return buckets
        .flatMap(({ Properties }) => Properties.LifecycleConfiguration.Rules as object[])
        .filter((rule) => 'Transitions' in rule);
    };
    expect(transitions()).toEqual([]);
    expect(transitions({ lake: { coldAfterDays: 90 } })).toEqual([
      {
        Id: 'cold-batches',
        Prefix: 'tickers/',
        Status: 'Enabled',
        Transitions: [{ StorageClass: 'GLACIER_IR', TransitionInDays: 90 }],
      },
    ]);
  });

  it('answers the main questions with saved queries', () => {
    const queries = Object.values(dev.findResources('AWS::Athena::NamedQuery')).map(
      ({ Properties }) => Properties.Name,
    );
    expect(queries).toEqual(['Average price', 'Rises and falls by the hour', 'Rises and falls']);
  });
});

describe('OpenSearch', () => {
  it.each(eachStage)('is private, encrypted, and requires sign-in: %s', (_, template) => {
    template.hasResourceProperties('AWS::OpenSearchService::Domain', {
      EngineVersion: 'OpenSearch_3.5',
      VPCOptions: { SecurityGroupIds: [Match.anyValue()] },
      AdvancedSecurityOptions: { Enabled: true, InternalUserDatabaseEnabled: true },
      NodeToNodeEncryptionOptions: { Enabled: true },
      EncryptionAtRestOptions: { Enabled: true, KmsKeyId: Match.anyValue() },
      DomainEndpointOptions: { EnforceHTTPS: true, TLSSecurityPolicy: 'Policy-Min-TLS-1-2-PFS-2023-10' },
      EBSOptions: { VolumeType: 'gp3' },
      LogPublishingOptions: Match.objectLike({ AUDIT_LOGS: Match.objectLike({ Enabled: true }) }),
    });
  });

  it('is one node in dev, three with managers in three zones in prod', () => {
    dev.hasResourceProperties('AWS::OpenSearchService::Domain', {
      ClusterConfig: { InstanceCount: 1, DedicatedMasterEnabled: false, ZoneAwarenessEnabled: false },
    });
    prod.hasResourceProperties('AWS::OpenSearchService::Domain', {
      ClusterConfig: {
        InstanceCount: 3,
        DedicatedMasterCount: 3,
        ZoneAwarenessConfig: { AvailabilityZoneCount: 3 },
      },
    });
  });

  it.each(eachStage)('never has a password in the template: %s', (_, template) => {
    template.hasResourceProperties('AWS::OpenSearchService::Domain', {
      AdvancedSecurityOptions: {
        MasterUserOptions: {
          MasterUserName: 'master',
          MasterUserPassword: {
            'Fn::Join': ['', ['{{resolve:secretsmanager:', Match.anyValue(), ':SecretString:password::}}']],
          },
        },
      },
    });
  });

  it('deploys into an account with or without the service-linked role', () => {
    const [call] = Object.values(dev.findResources('Custom::AWS'));
    expect(JSON.parse(call?.Properties.Create)).toMatchObject({
      action: 'CreateServiceLinkedRole',
      parameters: { AWSServiceName: 'opensearchservice.amazonaws.com' },
      ignoreErrorCodesMatching: 'InvalidInput|EntityAlreadyExists',
    });
    expect(call?.Properties).not.toHaveProperty('Delete');
    const [domain] = Object.values(dev.findResources('AWS::OpenSearchService::Domain'));
    expect(domain?.DependsOn).toContain('SearchServiceLinkedRoleCreateE1E8E228');
  });
});

describe('on removal', () => {
  it('dev leaves nothing behind', () => {
    for (const [id, { DeletionPolicy }] of Object.entries(dev.toJSON().Resources as Resources)) {
      expect([id, DeletionPolicy ?? 'Delete']).toEqual([id, 'Delete']);
    }
    dev.resourceCountIs('Custom::S3AutoDeleteObjects', 2);
  });

  it.each(eachStage)('no function leaves a log group outside the stack: %s', (_, template) => {
    template.allResourcesProperties('AWS::Lambda::Function', {
      LoggingConfig: { LogGroup: Match.anyValue() },
    });
  });

  it('a retained cluster does not keep a new stack from having its own, which is named after the stack', () => {
    const [cluster] = Object.values(prod.findResources('AWS::MSK::Cluster'));
    const [first, ending] = cluster?.Properties.ClusterName['Fn::Join'][1] ?? [];
    expect(first).toMatch(/^[A-Za-z0-9-]{1,55}$/);
    expect(JSON.stringify(ending)).toContain('{"Ref":"AWS::StackId"}');
    const named = synthesise('prod', { stream: { clusterName: 'left-behind' } }).stateful;
    named.hasResourceProperties('AWS::MSK::Cluster', { ClusterName: 'left-behind' });
  });

  it('prod retains everything that holds data', () => {
    for (const type of [
      'AWS::KMS::Key',
      'AWS::S3::Bucket',
      'AWS::MSK::Cluster',
      'AWS::MSK::Topic',
      'AWS::OpenSearchService::Domain',
      'AWS::SecretsManager::Secret',
      'AWS::Logs::LogGroup',
    ]) {
      prod.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
    prod.resourceCountIs('Custom::S3AutoDeleteObjects', 0);
  });
});

type Resources = Record<string, { DeletionPolicy?: string }>;
