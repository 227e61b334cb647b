import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { OpenSearchFunction } from '../../core/runtime/opensearch-functions.ts';
import { sourceNamed } from '../../exchanges/source-config.ts';
import { stackName } from '../../lib/config/derived.ts';
import { type LocalAws, STAGE } from './local-aws.ts';

/** With several categories, unlike the one that the stages poll. */
const bybit = sourceNamed('bybit');

/** A bucket beside the stage, for the copy of its lake. */
export const REPLICA = 'lake-elsewhere';
const REPLICA_KEY = 'arn:aws:kms:us-east-1:000000000000:key/of-the-replica';

/** The stage that all parts of the deployment test share. */
export class Stage {
  readonly local: LocalAws;
  readonly s3: S3Client;
  /** The stateful one first. */
  readonly stacks = [stackName(STAGE, 'stateful'), stackName(STAGE, 'stateless')] as const;
  readonly consumerGroup = `crypto-market-insights-${STAGE}-index`;
  /** The folder of the templates that are deployed. */
  assembly = '';
  /** The stacks' outputs. */
  stateful: Readonly<Record<string, string>> = {};
  stateless: Readonly<Record<string, string>> = {};
  readonly #folder: string;
  readonly #lambda: LambdaClient;

  /** @param folder for settings and templates */
  constructor(local: LocalAws, folder: string) {
    this.local = local;
    this.#folder = folder;
    this.#lambda = new LambdaClient(local.aws);
    this.s3 = new S3Client({ ...local.aws, forcePathStyle: true });
  }

  /** A source that asks the stand-in of an exchange. */
  source(changes: object = {}) {
    // The emulator's shortest schedule; a poll has to end before the next.
    const local = { samplingIntervalMinutes: 1, apiUrl: this.local.exchange.url, apiIsPrivate: true };
    return { ...bybit, ...local, ...changes };
  }

  settingsFile(name: string): string {
    return join(this.#folder, `${name}.json`);
  }

  /** Synthesises the app with these settings; returns the assembly's folder. */
  async synth(name: string, settings: object, ...options: string[]): Promise<string> {
    const replica = { bucketArn: `arn:aws:s3:::${REPLICA}`, keyArn: REPLICA_KEY };
    const common = {
      sources: [this.source()],
      functions: { ingest: { timeoutSeconds: 45 } },
      lake: { replica },
    };
    writeFileSync(this.settingsFile(name), JSON.stringify({ ...common, ...settings }));
    const assembly = join(this.#folder, name);
    const context = ['-c', `stage=${STAGE}`, '-c', `settings=${this.settingsFile(name)}`];
    await this.local.cdk('synth', '--quiet', ...context, '-o', assembly, ...options);
    return assembly;
  }

  /** Deploys the templates of a folder; returns what the CDK printed. */
  async deploy(assembly: string): Promise<string> {
    const options = ['--require-approval', 'never', '--concurrency', '2'];
    const output = await this.local.cdk('deploy', '--all', '--app', assembly, ...options);
    this.assembly = assembly;
    this.stateful = await this.local.outputsOf('stateful');
    this.stateless = await this.local.outputsOf('stateless');
    return output;
  }

  get bucket(): string {
    return this.stateful.LakeBucketName as string;
  }

  get topic(): string {
    return this.stateful.KafkaTopicName as string;
  }

  /** An ARN. */
  get cluster(): string {
    return this.stateful.KafkaClusterArn as string;
  }

  /** @param name `index` or `bybitIngest` */
  functionName(name: string): string {
    return this.stateless[`${name[0]?.toUpperCase()}${name.slice(1)}FunctionName`] as string;
  }

  async invoke(name: string, event: unknown): Promise<unknown> {
    const Payload = Buffer.from(JSON.stringify(event));
    const answer = await this.#lambda.send(
      new InvokeCommand({ FunctionName: this.functionName(name), Payload }),
    );
    const text = Buffer.from(answer.Payload ?? []).toString();
    if (answer.FunctionError) throw new Error(text);
    return JSON.parse(text);
  }

  async logGroupOf(name: string): Promise<string> {
    const { LoggingConfig } = await this.#lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: this.functionName(name) }),
    );
    return LoggingConfig?.LogGroup as string;
  }

  async keysOf(prefix: string, Bucket = this.bucket): Promise<string[]> {
    const { Contents = [] } = await this.s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
    return Contents.map(({ Key }) => Key as string);
  }

  /**
   * Sends a request to OpenSearch, signed as a function's role or with the reader's password; returns the
   * status.
   */
  async ask(who: OpenSearchFunction | 'reader', method: string, path: string, body = ''): Promise<number> {
    const { identities, openSearchFront } = this.local;
    const request = { method, url: `http://${openSearchFront.address}${path}`, body };
    const signedIn =
      who === 'reader'
        ? await identities.basic(who, this.stateful.ReaderUserSecretArn)
        : await identities.signedBy(this.functionName(who), request);
    const headers = { ...signedIn, 'content-type': 'application/json' };
    const response = await fetch(request.url, { method, headers, ...(body ? { body } : {}) });
    await response.arrayBuffer();
    return response.status;
  }
}
