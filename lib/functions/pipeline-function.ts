import { fileURLToPath } from 'node:url';
import { Duration, Validations } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';
import { type ILogGroup, LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { FunctionSize } from '../config/stage-config.ts';

/** What the functions of a stage share. */
export interface FunctionContext {
  readonly stage: string;
  readonly vpc: ec2.IVpc;
  /** Lets a function call exchanges and AWS over HTTPS. */
  readonly internet: ec2.ISecurityGroup;
  readonly logs: LogGroupProps;
  /** Whether functions that run {@link PipelineFunctionProps.oneAtATime} reserve their one execution. */
  readonly reservedConcurrency: boolean;
}

/** What the constructs around a single function share. */
export interface SizedFunctionContext extends FunctionContext {
  readonly size: FunctionSize;
}

export interface PipelineFunctionProps extends SizedFunctionContext {
  /** The folder in `lambdas/` with its `handler.ts`. */
  readonly folder: string;
  readonly description: string;
  readonly environment: Record<string, string>;
  /** A log group that it shares with others. @default its own */
  readonly logGroup?: ILogGroup;
  /** The groups that let it reach Kafka and OpenSearch. @default only the internet */
  readonly clients?: readonly ec2.ISecurityGroup[];
  /** Where an event goes that fails for good; a sentence. */
  readonly failedEvents: string;
  /** Two at a time would be a waste, though harmless: each stores the same ids. @default false */
  readonly oneAtATime?: boolean;
}

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/**
 * A function of the pipeline: bundled with its SDK, in the VPC, with its own role and log group, JSON logs and tracing.
 */
export class PipelineFunction extends Construct {
  readonly fn: NodejsFunction;
  readonly role: iam.Role;
  /** Prints its latest errors. */
  readonly errorsCommand: string;

  constructor(scope: Construct, id: string, props: PipelineFunctionProps) {
    super(scope, id);
    const { stage, vpc, internet, folder, description, size, environment, clients = [] } = props;
    const logGroup = props.logGroup ?? new LogGroup(this, 'Logs', props.logs);
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `Role of the function in lambdas/${folder}`,
    });
    logGroup.grantWrite(this.role);
    this.#allowNetworkInterfaces();
    this.fn = new NodejsFunction(this, 'Function', {
      entry: file(`lambdas/${folder}/handler.ts`),
      handler: 'handler',
      description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: size.memoryMb,
      timeout: Duration.seconds(size.timeoutSeconds),
      role: this.role,
      vpc,
      vpcSubnets: { subnets: vpc.privateSubnets },
      securityGroups: [internet, ...clients],
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      tracing: lambda.Tracing.ACTIVE,
      ...(props.oneAtATime && props.reservedConcurrency ? { reservedConcurrentExecutions: 1 } : {}),
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        KAFKAJS_NO_PARTITIONER_WARNING: '1',
        STAGE: stage,
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
        // Prefer ES modules, so that unused code is dropped.
        mainFields: ['module', 'main'],
        bundleAwsSDK: true,
        // The package debug colours its lines with it if it is installed, which it is here, for development.
        externalModules: ['supports-color'],
        commandHooks: {
          beforeBundling: () => [],
          beforeInstall: () => [],
          afterBundling: (_, folder) => [
            `"${process.execPath}" "${file('lib/functions/map-sources.ts')}" "${folder}"`,
          ],
        },
        esbuildArgs: {
          // Lambda's credentials are in the environment; the SDK's provider chain would be a third of the code.
          '--alias:@aws-sdk/credential-provider-node': file('stores/aws/lambda-credentials.ts'),
          // An optional peer dependency of ccxt that esbuild insists on.
          '--alias:protobufjs/minimal': file('stores/aws/no-protobufjs.ts'),
          '--alias:protobufjs/minimal.js': file('stores/aws/no-protobufjs.ts'),
        },
        // CommonJS packages load Node's modules with require().
        banner:
          "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
    });
    const own = props.logGroup ? ` && $.function_name = "${this.fn.functionName}"` : '';
    this.errorsCommand = `aws logs tail --since 1h --filter-pattern '{ $.level = "ERROR"${own} }' ${logGroup.logGroupName}`;
    Validations.of(this.fn).acknowledge({ id: 'Serverless-LambdaDLQ', reason: props.failedEvents });
    Validations.of(this.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'Lambda creates the network interfaces later, X-Ray has no resources, and MSK tells any role of the account where brokers are: these actions accept only *.',
    });
  }

  /** What AWS's managed policy for functions in a VPC allows, and no more. */
  #allowNetworkInterfaces(): void {
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
