import { CustomResource, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import * as cr from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { OPENSEARCH_FUNCTIONS, type OpenSearchFunction } from '../../core/runtime/opensearch-functions.ts';
import type { SearchConfig } from '../config/stage-config.ts';
import { type FunctionContext, PipelineFunction } from '../functions/pipeline-function.ts';
import type { Lake } from '../lake/lake.ts';
import type { Search } from '../search/domain.ts';
import { acknowledgeCdkFunction } from '../trust/cdk-function.ts';
import { serviceForThisAccount } from '../trust/service-for-this-account.ts';

export interface SetupProps extends FunctionContext {
  readonly indices: SearchConfig['indices'];
  readonly lake: Lake;
  readonly search: Search;
  /** The functions that sign in to OpenSearch. */
  readonly functions: Readonly<Record<OpenSearchFunction, PipelineFunction>>;
}

/**
 * Installs index templates, roles, the read-only user and dashboards in the domain, whenever they or the domain have
 * changed. It signs in as the admin user, whose password it reads from Secrets Manager.
 */
export class Setup extends Construct {
  readonly function: PipelineFunction;

  constructor(scope: Construct, id: string, props: SetupProps) {
    super(scope, id);
    const { indices, lake, search, functions, ...context } = props;
    const functionRoleArns = Object.fromEntries(
      OPENSEARCH_FUNCTIONS.map((name) => [name, functions[name].role.roleArn]),
    );
    const readerSecret = search.readerSecret.secretArn;
    this.function = new PipelineFunction(this, 'Function', {
      ...context,
      folder: 'setup',
      description: 'Installs index templates, roles, users and dashboards in OpenSearch',
      size: { memoryMb: 512, timeoutSeconds: 300 },
      environment: {
        OPENSEARCH_URL: search.url,
        OPENSEARCH_MASTER_SECRET: search.masterSecret.secretArn,
        DASHBOARDS_URL: `${search.url}/_dashboards`,
        LAKE_BUCKET: lake.bucket.bucketName,
        INDEX_SETTINGS: JSON.stringify(indices),
        ACCESS_CONTROL: Stack.of(this).toJsonString({ functionRoleArns, readerSecret }),
      },
      failedEvents: 'CloudFormation waits for the answer and shows the error.',
      calledAtOnce: 'CloudFormation calls it, once per deployment.',
      clients: [search.clients],
    });
    const { fn, role } = this.function;
    search.grantReadSecrets(role);
    lake.grantPut(role, 'backups');

    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::OpenSearchSetup',
      serviceToken: this.#provider(props).serviceToken,
      // CloudFormation runs it again only when a property changes.
      properties: {
        Domain: search.url,
        FunctionRoles: functionRoleArns,
        ReaderSecret: readerSecret,
        IndexSettings: indices,
        // The key is a hash of the bundle, which contains templates, roles and dashboards.
        Bundle: Stack.of(this).resolve(cfnFunctionOf(this.function).code).s3Key,
      },
    });
    // The function must have its new environment before it is called.
    resource.node.addDependency(role, fn);
  }

  /** CDK's function between CloudFormation and setup: it answers CloudFormation even if setup fails. */
  #provider({ logs }: SetupProps): cr.Provider {
    const logGroup = new LogGroup(this, 'ProviderLogs', logs);
    const role = new iam.Role(this, 'ProviderRole', {
      assumedBy: serviceForThisAccount(this, 'lambda.amazonaws.com'),
      description: 'Role of the function between CloudFormation and setup',
    });
    logGroup.grantWrite(role);
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(cfnFunctionOf(this.function))}.Arn>:*]`,
      reason: 'Versions and aliases of the function that it calls.',
    });
    const provider = new cr.Provider(this, 'Provider', {
      onEventHandler: this.function.fn,
      logGroup,
      frameworkOnEventRole: role,
    });
    acknowledgeCdkFunction(provider);
    return provider;
  }
}

function cfnFunctionOf({ fn }: PipelineFunction): CfnFunction {
  return fn.node.defaultChild as CfnFunction;
}
