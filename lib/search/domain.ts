import { type Duration, Stack, Validations } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as opensearch from 'aws-cdk-lib/aws-opensearchservice';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { removalPolicyOf } from '../config/removal.ts';
import type { StageConfig } from '../config/stage-config.ts';
import type { Notifications } from '../monitoring/notifications.ts';
import { SearchAlarms } from './search-alarms.ts';
import { ServiceLinkedRole } from './service-linked-role.ts';

export interface SearchProps {
  readonly config: StageConfig;
  readonly vpc: ec2.IVpc;
  readonly key: IKey;
  readonly notifications: Notifications;
}

/**
 * The OpenSearch domain, private in the VPC. Three locks one behind the other: a security group that lets in its
 * named clients, TLS, and fine-grained access control with a user database of its own. People sign in with a
 * password from Secrets Manager, functions with their IAM role, which setup maps to a role of the domain.
 */
export class Search extends Construct {
  /** `https://…` */
  readonly url: string;
  readonly domainArn: string;
  readonly domainName: string;
  /** `{"username", "password"}` of the user who may everything. */
  readonly masterSecret: secretsmanager.Secret;
  /** `{"username", "password"}` of the user who may look; setup makes that user. */
  readonly readerSecret: secretsmanager.Secret;
  /** Whoever is in this group reaches the domain. */
  readonly clients: ec2.SecurityGroup;
  readonly #key: IKey;
  readonly #domain: opensearch.Domain;

  constructor(scope: Construct, id: string, { config, vpc, key, notifications }: SearchProps) {
    super(scope, id);
    const { dataNodes, dataNodeType, managers, volumeGb } = config.search;
    const { availabilityZones } = config.network;
    this.#key = key;
    const removalPolicy = removalPolicyOf(config);

    this.clients = new ec2.SecurityGroup(this, 'Clients', {
      vpc,
      description: 'Functions (and the bastion) that talk to OpenSearch',
      allowAllOutbound: false,
    });
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'OpenSearch domain',
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(this.clients, ec2.Port.tcp(443), 'Clients to domain');
    this.clients.addEgressRule(securityGroup, ec2.Port.tcp(443), 'Clients to domain');

    this.masterSecret = this.#userSecret('Master', 'master', 'OpenSearch master user', config, key);
    this.readerSecret = this.#userSecret(
      'Reader',
      'reader',
      'OpenSearch user who may only look',
      config,
      key,
    );

    const logGroups = {
      application: this.#logGroup('ApplicationLogs', config, key),
      slowSearch: this.#logGroup('SlowSearchLogs', config, key),
      slowIndex: this.#logGroup('SlowIndexLogs', config, key),
      audit: this.#logGroup('AuditLogs', config, key),
    };
    const domain = new opensearch.Domain(this, 'Domain', {
      version: opensearch.EngineVersion.OPENSEARCH_3_5,
      vpc,
      vpcSubnets: [{ subnets: vpc.privateSubnets.slice(0, dataNodes === 1 ? 1 : availabilityZones) }],
      securityGroups: [securityGroup],
      zoneAwareness:
        dataNodes === 1 ? { enabled: false } : { enabled: true, availabilityZoneCount: availabilityZones },
      capacity: {
        dataNodes,
        dataNodeInstanceType: dataNodeType,
        ...(managers ? { masterNodes: managers.nodes, masterNodeInstanceType: managers.nodeType } : {}),
        // It wants a copy in each of three zones; our prod keeps two.
        multiAzWithStandbyEnabled: false,
      },
      ebs: { volumeType: ec2.EbsDeviceVolumeType.GP3, volumeSize: volumeGb },
      nodeToNodeEncryption: true,
      encryptionAtRest: { enabled: true, kmsKey: key },
      enforceHttps: true,
      tlsSecurityPolicy: opensearch.TLSSecurityPolicy.TLS_1_2_PFS,
      fineGrainedAccessControl: {
        masterUserName: 'master',
        masterUserPassword: this.masterSecret.secretValueFromJson('password'),
      },
      enableVersionUpgrade: true,
      enableAutoSoftwareUpdate: true,
      offPeakWindowEnabled: true,
      logging: {
        appLogEnabled: true,
        appLogGroup: logGroups.application,
        slowSearchLogEnabled: true,
        slowSearchLogGroup: logGroups.slowSearch,
        slowIndexLogEnabled: true,
        slowIndexLogGroup: logGroups.slowIndex,
        auditLogEnabled: true,
        auditLogGroup: logGroups.audit,
      },
      suppressLogsResourcePolicy: true,
      removalPolicy,
    });
    domain.node.addDependency(this.#letDomainsWriteLogs(Object.values(logGroups)));
    // IAM is eventually consistent; the key, which the domain also waits for, takes two minutes longer than the role.
    domain.node.addDependency(new ServiceLinkedRole(this, 'ServiceLinkedRole', { config, key }));

    const { partition, region, account } = Stack.of(this);
    (domain.node.defaultChild as opensearch.CfnDomain).accessPolicies = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          // A name and a password are no IAM principal. Who gets this far has passed the security group.
          Principal: { AWS: '*' },
          Action: 'es:ESHttp*',
          Resource: `arn:${partition}:es:${region}:${account}:domain/*`,
        },
      ],
    };
    const reason =
      'The domain is reachable from the security groups of its clients only; fine-grained access control decides what each user and each IAM role may do. A policy that names IAM principals would lock out the users with a password.';
    Validations.of(domain).acknowledge(
      { id: 'AwsSolutions-OS3', reason },
      { id: 'AwsSolutions-OS5', reason },
      ...(managers
        ? []
        : [
            {
              id: 'AwsSolutions-OS4',
              reason:
                'One node has nobody to manage: the stage is cheap, and the lake can fill a new domain.',
            },
          ]),
      ...(dataNodes > 1
        ? []
        : [
            {
              id: 'AwsSolutions-OS7',
              reason: 'One node lies in one zone: the stage is cheap, and the lake can fill a new domain.',
            },
          ]),
    );
    this.url = `https://${domain.domainEndpoint}`;
    this.domainArn = domain.domainArn;
    this.domainName = domain.domainName;
    this.#domain = domain;
    new SearchAlarms(this, 'Alarms', { notifications, config, domain, key });
  }

  /** One of the domain's own, by domain and account. */
  metric(metricName: string, statistic: string, period: Duration): Metric {
    return this.#domain.metric(metricName, { statistic, period });
  }

  /**
   * Lets a function read the passwords. Written out: the secret's own grant names the function in the key's policy,
   * and the stack of the key cannot depend on that of the function.
   */
  grantReadSecrets(grantee: iam.IGrantable): void {
    iam.Grant.addToPrincipal({
      grantee,
      actions: ['secretsmanager:GetSecretValue'],
      resourceArns: [this.masterSecret.secretArn, this.readerSecret.secretArn],
    });
    this.#key.grantDecrypt(grantee);
  }

  #userSecret(
    id: string,
    username: string,
    description: string,
    config: StageConfig,
    key: IKey,
  ): secretsmanager.Secret {
    const secret = new secretsmanager.Secret(this, id, {
      description,
      encryptionKey: key,
      removalPolicy: removalPolicyOf(config),
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username }),
        generateStringKey: 'password',
        passwordLength: 32,
        requireEachIncludedType: true,
        // What a shell or a URL would take apart.
        excludeCharacters: '"\'`\\$/@ ',
      },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'No program holds the password: functions sign in with IAM, setup reads the secret at run time. Rotation is two commands (docs/aws.md), and a rotation function in the VPC would be one more master of the domain.',
    });
    return secret;
  }

  #logGroup(id: string, config: StageConfig, key: IKey): logs.LogGroup {
    return new logs.LogGroup(this, id, {
      retention: config.retention.logDays,
      encryptionKey: key,
      removalPolicy: removalPolicyOf(config),
    });
  }

  #letDomainsWriteLogs(logGroups: readonly logs.LogGroup[]): logs.ResourcePolicy {
    const { account, stackName } = Stack.of(this);
    return new logs.ResourcePolicy(this, 'WriteLogs', {
      resourcePolicyName: `${stackName}-opensearch`,
      policyStatements: [
        new iam.PolicyStatement({
          principals: [new iam.ServicePrincipal('es.amazonaws.com')],
          actions: ['logs:PutLogEvents', 'logs:CreateLogStream'],
          resources: logGroups.map(({ logGroupArn }) => logGroupArn),
          conditions: { StringEquals: { 'aws:SourceAccount': account } },
        }),
      ],
    });
  }
}
