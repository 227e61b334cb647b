import { fileURLToPath } from 'node:url';
import { Duration, Size, Tags, Validations } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';
import { type ILogGroup, LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { CalledFunctionSize, FunctionSize } from '../config/stage-config.ts';
import { serviceForThisAccount } from '../trust/service-for-this-account.ts';

/** What the functions of a stage share. */
export interface FunctionContext {
  readonly stage: string;
  readonly vpc: ec2.IVpc;
  /** Lets a function call exchanges and AWS over HTTPS. */
  readonly internet: ec2.ISecurityGroup;
  readonly logs: LogGroupProps;
  /** Whether functions reserve {@link PipelineFunctionProps.maxAtOnce}, and so run no more. */
  readonly reservedConcurrency: boolean;
}

/** What the constructs around a single function share. */
export interface SizedFunctionContext extends FunctionContext {
  readonly size: FunctionSize;
}

/** What the constructs around a function share that people call. */
export interface CalledFunctionContext extends FunctionContext {
  readonly size: CalledFunctionSize;
}

export interface PipelineFunctionProps extends SizedFunctionContext {
  /** The folder in `lambdas/` with its `handler.ts`. */
  readonly folder: string;
  readonly description: string;
  readonly environment: Record<string, string>;
  /** A log group that it shares with others. @default its own */
  readonly logGroup?: ILogGroup;
  /** A package of code compiled for Lambda that its bundle needs, and the names that stand for it in any system. */
  readonly compiled?: { readonly package: string; readonly inAnySystem: string };
  /** For its temporary files. @default 512, what Lambda includes */
  readonly storageMb?: number;
  /** The groups that let it reach Kafka and OpenSearch. @default only the internet */
  readonly clients?: readonly ec2.ISecurityGroup[];
  /** Where an event goes that fails for good; a sentence. */
  readonly failedEvents: string;
  /**
   * How many may run at once, if the stage reserves executions. 1 if a second would only waste work (it would
   * store the same ids). @default as many as the account has left
   */
  readonly maxAtOnce?: number;
  /**
   * What else limits how many run at once, if nothing is reserved; a sentence. @default {@link maxAtOnce}, if
   * it is reserved
   */
  readonly calledAtOnce?: string;
}

/** Resource policies recognise functions by this tag on their roles, whichever stack they are in. */
export const PIPELINE_ROLE_TAG = { key: 'used-by', value: 'crypto-market-insights-function' } as const;

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The command line of a script that works on a bundle. */
const script = (name: string, ...args: string[]) =>
  [process.execPath, file(`lib/functions/${name}.ts`), ...args].map((each) => `"${each}"`).join(' ');

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
    const { maxAtOnce, reservedConcurrency, compiled, storageMb } = props;
    const logGroup = props.logGroup ?? new LogGroup(this, 'Logs', props.logs);
    this.role = new iam.Role(this, 'Role', {
      assumedBy: serviceForThisAccount(this, 'lambda.amazonaws.com'),
      description: `Role of the function in lambdas/${folder}`,
    });
    Tags.of(this.role).add(PIPELINE_ROLE_TAG.key, PIPELINE_ROLE_TAG.value);
    logGroup.grantWrite(this.role);
    this.#allowNetworkInterfaces();
    this.#denyNetworkToCode();
    this.fn = new NodejsFunction(this, 'Function', {
      entry: file(`lambdas/${folder}/handler.ts`),
      handler: 'handler',
      description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: size.memoryMb,
      ...(storageMb ? { ephemeralStorageSize: Size.mebibytes(storageMb) } : {}),
      timeout: Duration.seconds(size.timeoutSeconds),
      role: this.role,
      vpc,
      vpcSubnets: { subnets: vpc.privateSubnets },
      securityGroups: [internet, ...clients],
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      tracing: lambda.Tracing.ACTIVE,
      ...(maxAtOnce && reservedConcurrency ? { reservedConcurrentExecutions: maxAtOnce } : {}),
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
        externalModules: ['supports-color', ...(compiled ? [compiled.inAnySystem] : [])],
        commandHooks: {
          beforeBundling: () => [],
          beforeInstall: () => [],
          afterBundling: (_, folder) => [
            script('map-sources', folder),
            ...(compiled ? [script('native-package', folder, compiled.package)] : []),
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
    this.#acknowledge(props);
  }

  #acknowledge({ failedEvents, calledAtOnce, maxAtOnce, reservedConcurrency }: PipelineFunctionProps): void {
    const unreserved =
      calledAtOnce ??
      'The stage does not reserve executions (reservedConcurrency): it fails where the quota is small.';
    Validations.of(this.fn).acknowledge(
      { id: 'Serverless-LambdaDLQ', reason: failedEvents },
      { id: 'CKV_AWS_116', reason: failedEvents },
      ...(maxAtOnce && reservedConcurrency ? [] : [{ id: 'CKV_AWS_115', reason: unreserved }]),
      {
        id: 'CKV_AWS_173',
        reason:
          'It holds names and addresses, no secrets, and Lambda encrypts it with its own key. With a key of ours the function would have to be allowed to decrypt with it.',
      },
    );
    const reason =
      'Traces and the brokers’ addresses have no resource to name. Lambda itself, not the code, needs EC2: it checks the permission before any interface exists, and another statement denies all of EC2 to the code.';
    Validations.of(this.role).acknowledge(
      { id: 'AwsSolutions-IAM5[Resource::*]', reason },
      { id: 'CKV_AWS_111', reason },
    );
  }

  /** What AWS's managed policy for functions in a VPC allows, and no more; for Lambda, which uses the same role. */
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

  /**
   * Denies the code, which has the same credentials, the EC2 actions that Lambda itself needs: only requests
   * from a function's code carry its ARN. In the role's own policy, because one more for each function would
   * be one more resource for each source.
   * https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
   */
  #denyNetworkToCode(): void {
    this.role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'NotByTheCode',
        effect: iam.Effect.DENY,
        actions: ['ec2:*'],
        resources: ['*'],
        conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
      }),
    );
  }
}
