import { fileURLToPath } from 'node:url';
import { Duration, Validations } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { removalPolicyOf } from '../config/removal.ts';
import type { StageConfig } from '../config/stage-config.ts';

/** What every function of the pipeline gets. */
export interface PipelineFunctionContext {
  readonly config: StageConfig;
  readonly vpc: ec2.IVpc;
  /** Encrypts the logs. */
  readonly key: IKey;
}

export interface PipelineFunctionProps extends PipelineFunctionContext {
  /** The folder under `lambdas/` that holds `handler.ts`. */
  readonly folder: string;
  readonly description: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly environment: Record<string, string>;
  /** What it may reach: groups of clients, and the one for the world. */
  readonly securityGroups: readonly ec2.ISecurityGroup[];
  /** Where an event goes that it fails for good; a sentence. */
  readonly failedEvents: string;
  /** @default no limit of its own */
  readonly reservedConcurrency?: number;
}

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/**
 * A function of the pipeline: bundled with its SDK, in the VPC, with a role and a log group of its own, JSON logs
 * and tracing.
 */
export class PipelineFunction extends Construct {
  readonly fn: NodejsFunction;
  readonly role: iam.Role;

  constructor(scope: Construct, id: string, props: PipelineFunctionProps) {
    super(scope, id);
    const { config, vpc, key, folder, description, memoryMb, timeoutSeconds, environment } = props;
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: config.retention.logDays,
      encryptionKey: key,
      removalPolicy: removalPolicyOf(config),
    });
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `Of the function that runs lambdas/${folder}`,
    });
    logGroup.grantWrite(this.role);
    this.#letLambdaPlugIntoTheVpc();
    this.fn = new NodejsFunction(this, 'Function', {
      entry: file(`lambdas/${folder}/handler.ts`),
      handler: 'handler',
      description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: memoryMb,
      timeout: Duration.seconds(timeoutSeconds),
      role: this.role,
      vpc,
      vpcSubnets: { subnets: vpc.privateSubnets },
      securityGroups: [...props.securityGroups],
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      tracing: lambda.Tracing.ACTIVE,
      ...(props.reservedConcurrency ? { reservedConcurrentExecutions: props.reservedConcurrency } : {}),
      environment: {
        // kafkajs sets timers in the past, and has a say about its partitioner at each start.
        NODE_OPTIONS: '--enable-source-maps --disable-warning=TimeoutNegativeWarning',
        KAFKAJS_NO_PARTITIONER_WARNING: '1',
        STAGE: config.stage,
        ...environment,
      },
      awsSdkConnectionReuse: false,
      depsLockFilePath: file('package-lock.json'),
      projectRoot: file('.'),
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        minify: true,
        sourceMap: true,
        sourceMapMode: SourceMapMode.DEFAULT,
        sourcesContent: false,
        // ES modules where a package has them: what is not used is left out.
        mainFields: ['module', 'main'],
        bundleAwsSDK: true,
        // A function's credentials are in its environment; the SDK's chain of providers would be a third of the code.
        esbuildArgs: {
          '--alias:@aws-sdk/credential-provider-node': file('stores/aws/lambda-credentials.ts'),
          // An optional peer of ccxt, which esbuild would not go without.
          '--alias:protobufjs/minimal': file('stores/aws/no-protobufjs.ts'),
          '--alias:protobufjs/minimal.js': file('stores/aws/no-protobufjs.ts'),
        },
        // Packages in CommonJS ask for Node's modules with require().
        banner:
          "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
    });
    Validations.of(this.fn).acknowledge({ id: 'Serverless-LambdaDLQ', reason: props.failedEvents });
    Validations.of(this.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'Network interfaces do not exist before Lambda makes them, and X-Ray has no resources: both actions take no other resource than *.',
    });
  }

  /** What AWS's own policy for functions in a VPC allows, and no more: it has no resources to name. */
  #letLambdaPlugIntoTheVpc(): void {
    this.role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'PlugIntoTheVpc',
        actions: [
          'ec2:CreateNetworkInterface',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:DeleteNetworkInterface',
          'ec2:AssignPrivateIpAddresses',
          'ec2:UnassignPrivateIpAddresses',
        ],
        resources: ['*'],
      }),
    );
  }
}
