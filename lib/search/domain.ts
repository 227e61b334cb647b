import { type Duration, Stack, Validations } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, ResourcePolicy } from 'aws-cdk-lib/aws-logs';
import * as opensearch from 'aws-cdk-lib/aws-opensearchservice';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { logPolicyName, OPENSEARCH_VERSION } from '../config/derived.ts';
import type { SearchConfig } from '../config/stage-config.ts';
import type { EngineProps } from '../stacks/engine-props.ts';
import { SearchAlarms } from './search-alarms.ts';
import { ServiceLinkedRole } from './service-linked-role.ts';

export interface SearchProps extends EngineProps, SearchConfig {
  readonly availabilityZones: 2 | 3;
}

/**
 * The OpenSearch domain, private in the VPC, behind three locks: a security group that admits only its clients, TLS, and
 * fine-grained access control with an internal user database. People sign in with a password from Secrets Manager,
 * functions with their IAM role, which setup maps to a role of the domain.
 */
export class Search extends Construct {
  /** `https://…` */
  readonly url: string;
  readonly domainName: string;
  /** How a function finds the domain and signs in. */
  readonly environment: { readonly OPENSEARCH_URL: string; readonly OPENSEARCH_AUTH: 'iam' };
  /** `{"username", "password"}` of the admin user. */
  readonly masterSecret: secretsmanager.Secret;
  /** `{"username", "password"}` of the read-only user, which setup creates. */
  readonly readerSecret: secretsmanager.Secret;
  /** Members of this group can reach the domain. */
  readonly clients: ec2.SecurityGroup;
  readonly #key: IKey;
  readonly #domain: opensearch.Domain;

  constructor(scope: Construct, id: string, props: SearchProps) {
    super(scope, id);
    const { stage, vpc, key, logs, removalPolicy, notifications, availabilityZones } = props;
    const { dataNodes, dataNodeType, managers, volumeGb } = props;
    this.#key = key;

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

    this.masterSecret = this.#userSecret('Master', 'master', 'OpenSearch admin user', props);
    this.readerSecret = this.#userSecret('Reader', 'reader', 'OpenSearch read-only user', props);

    const logGroups = {
      application: new LogGroup(this, 'ApplicationLogs', logs),
      slowSearch: new LogGroup(this, 'SlowSearchLogs', logs),
      slowIndex: new LogGroup(this, 'SlowIndexLogs', logs),
      audit: new LogGroup(this, 'AuditLogs', logs),
    };
    const domain = new opensearch.Domain(this, 'Domain', {
      version: opensearch.EngineVersion.openSearch(OPENSEARCH_VERSION),
      vpc,
      vpcSubnets: [{ subnets: vpc.privateSubnets.slice(0, dataNodes === 1 ? 1 : availabilityZones) }],
      securityGroups: [securityGroup],
      zoneAwareness:
        dataNodes === 1 ? { enabled: false } : { enabled: true, availabilityZoneCount: availabilityZones },
      capacity: {
        dataNodes,
        dataNodeInstanceType: dataNodeType,
        ...(managers ? { masterNodes: managers.nodes, masterNodeInstanceType: managers.nodeType } : {}),
        // It requires a copy in each of three zones; prod keeps two copies.
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
    domain.node.addDependency(this.#allowDomainsToWriteLogs(stage, Object.values(logGroups)));
    // IAM is eventually consistent, but the key, which the domain also waits for, takes two minutes longer than the role.
    domain.node.addDependency(new ServiceLinkedRole(this, 'ServiceLinkedRole', { logs }));

    const { partition, region, account } = Stack.of(this);
    (domain.node.defaultChild as opensearch.CfnDomain).accessPolicies = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          // Users with a password are not IAM principals; the security group already decided who gets here.
          Principal: { AWS: '*' },
          Action: 'es:ESHttp*',
          Resource: `arn:${partition}:es:${region}:${account}:domain/*`,
        },
      ],
    };
    const open =
      'Only the security groups of its clients can reach the domain, and fine-grained access control decides what each user and role may do. A policy that names IAM principals would lock out users with a password.';
    const single = 'A single node keeps the stage cheap; a new domain can be refilled from the lake.';
    Validations.of(domain).acknowledge(
      { id: 'AwsSolutions-OS3', reason: open },
      { id: 'AwsSolutions-OS5', reason: open },
      ...(managers ? [] : [{ id: 'AwsSolutions-OS4', reason: single }]),
      ...(dataNodes > 1 ? [] : [{ id: 'AwsSolutions-OS7', reason: single }]),
    );
    this.url = `https://${domain.domainEndpoint}`;
    this.domainName = domain.domainName;
    this.environment = { OPENSEARCH_URL: this.url, OPENSEARCH_AUTH: 'iam' };
    this.#domain = domain;
    new SearchAlarms(this, 'Alarms', { notifications, stage, dataNodes, managers, volumeGb, domain, key });
  }

  /** One of the domain's metrics, by domain and account. */
  metric(metricName: string, statistic: string, period: Duration): Metric {
    return this.#domain.metric(metricName, { statistic, period });
  }

  /**
   * Lets a function read the passwords. The secret's own grant would name the function in the key's policy, and the
   * key's stack cannot depend on the function's.
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
    { key, removalPolicy }: SearchProps,
  ): secretsmanager.Secret {
    const secret = new secretsmanager.Secret(this, id, {
      description,
      encryptionKey: key,
      removalPolicy,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username }),
        generateStringKey: 'password',
        passwordLength: 32,
        requireEachIncludedType: true,
        // Characters that a shell or a URL would interpret.
        excludeCharacters: '"\'`\\$/@ ',
      },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'No program stores the password: functions sign in with IAM, setup reads the secret at run time. A command rotates it (npm run rotate); a rotation function in the VPC would be another admin of the domain.',
    });
    return secret;
  }

  /** https://docs.aws.amazon.com/opensearch-service/latest/developerguide/createdomain-configure-slow-logs.html */
  #allowDomainsToWriteLogs(stage: string, logGroups: readonly LogGroup[]): ResourcePolicy {
    const { account } = Stack.of(this);
    return new ResourcePolicy(this, 'WriteLogs', {
      resourcePolicyName: logPolicyName(stage),
      policyStatements: [
        new iam.PolicyStatement({
          principals: [new iam.ServicePrincipal('es.amazonaws.com')],
          actions: ['logs:PutLogEvents', 'logs:PutLogEventsBatch', 'logs:CreateLogStream'],
          resources: logGroups.map(({ logGroupArn }) => logGroupArn),
          conditions: { StringEquals: { 'aws:SourceAccount': account } },
        }),
      ],
    });
  }
}
