import { createHash } from 'node:crypto';
import { CustomResource, Stack, Validations } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as cr from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { savedObjects } from '../../charts/saved-objects.ts';
import {
  accessControlSteps,
  OPENSEARCH_FUNCTIONS,
  type OpenSearchFunction,
} from '../../stores/opensearch/access-control.ts';
import { templateSteps } from '../../stores/opensearch/index-templates.ts';
import { removalPolicyOf } from '../config/removal.ts';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';
import type { Lake } from '../lake/lake.ts';
import type { Search } from '../search/domain.ts';

export interface SetupProps extends PipelineFunctionContext {
  readonly lake: Lake;
  readonly search: Search;
  readonly world: ec2.ISecurityGroup;
  /** The functions that sign in to OpenSearch. */
  readonly functions: Readonly<Record<OpenSearchFunction, PipelineFunction>>;
}

/**
 * Puts index templates, roles, the read-only user and dashboards into the domain, whenever what it puts has changed. It signs
 * in as the master user, whose password it reads from Secrets Manager when it runs.
 */
export class Setup extends Construct {
  readonly function: PipelineFunction;

  constructor(scope: Construct, id: string, props: SetupProps) {
    super(scope, id);
    const { config, vpc, key, lake, search, world, functions } = props;
    const { shards, replicas, refreshInterval } = config.search.indices;
    const indexSettings = { shards, replicas, refreshInterval };
    const functionRoleArns = Object.fromEntries(
      OPENSEARCH_FUNCTIONS.map((name) => [name, functions[name].role.roleArn]),
    );
    const readerSecret = search.readerSecret.secretArn;
    this.function = new PipelineFunction(this, 'Function', {
      config,
      vpc,
      key,
      folder: 'setup',
      description: 'Puts index templates, roles, users and dashboards into OpenSearch',
      memoryMb: 512,
      timeoutSeconds: 300,
      environment: {
        OPENSEARCH_URL: search.url,
        OPENSEARCH_MASTER_SECRET: search.masterSecret.secretArn,
        DASHBOARDS_URL: `${search.url}/_dashboards`,
        LAKE_BUCKET: lake.bucket.bucketName,
        INDEX_SETTINGS: JSON.stringify(indexSettings),
        ACCESS_CONTROL: Stack.of(this).toJsonString({ functionRoleArns, readerSecret }),
      },
      failedEvents: 'CloudFormation waits for the answer and shows the failure.',
      securityGroups: [world, search.clients],
    });
    const { role } = this.function;
    search.grantReadSecrets(role);
    lake.grantPut(role, 'backups');

    const provider = this.#provider(props);
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::OpenSearchSetup',
      serviceToken: provider.serviceToken,
      // CloudFormation runs it again only when a property has changed: where it puts something, for whom, and what.
      properties: {
        Domain: search.url,
        FunctionRoles: functionRoleArns,
        ReaderSecret: readerSecret,
        Content: contentHash(indexSettings),
      },
    });
    // The function has to know the new values before it is called.
    resource.node.addDependency(role, this.function.fn);
  }

  /** CDK's own function between CloudFormation and ours: it answers CloudFormation, also when ours fails. */
  #provider({ config, key }: SetupProps): cr.Provider {
    const { fn } = this.function;
    const logGroup = new logs.LogGroup(this, 'ProviderLogs', {
      retention: config.retention.logDays,
      encryptionKey: key,
      removalPolicy: removalPolicyOf(config),
    });
    const role = new iam.Role(this, 'ProviderRole', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'Of the function between CloudFormation and setup',
    });
    logGroup.grantWrite(role);
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(fn.node.defaultChild as CfnFunction)}.Arn>:*]`,
      reason: 'Versions and aliases of the one function that it calls.',
    });
    const provider = new cr.Provider(this, 'Provider', {
      onEventHandler: fn,
      logGroup,
      frameworkOnEventRole: role,
    });
    const framework =
      "CDK's own function, which it gives no choice about: it runs for seconds at a deployment.";
    Validations.of(provider).acknowledge(
      { id: 'Serverless-LambdaDefaultMemorySize', reason: framework },
      { id: 'Serverless-LambdaTracing', reason: framework },
      { id: 'Serverless-LambdaDLQ', reason: `${framework} CloudFormation waits for the answer.` },
    );
    return provider;
  }
}

/** Of everything that setup puts but names and passwords, which the other properties stand for. */
function contentHash(settings: Parameters<typeof templateSteps>[0]): string {
  const content = [
    ...savedObjects(),
    ...templateSteps(settings),
    ...accessControlSteps({
      functionRoleArns: { index: '', summarise: '', insights: '', operate: '', watch: '' },
      reader: { username: '', password: '' },
    }),
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}
