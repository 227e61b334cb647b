import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { type Command, Option } from 'commander';
import { stackName } from '../lib/config/stack-names.ts';
import { hostFunction, type LocalFunction } from '../local/pipeline/functions.ts';
import { localNow } from '../local/pipeline/replay-clock.ts';
import { type ServiceName, type ServiceUrls, withServices } from '../local/pipeline/services.ts';
import { folderOption, hostAndPort, httpUrl } from './options.ts';

/** Where a command does its work: the functions of this machine's pipeline, or those of a deployed stage. */
export interface Target {
  /** For people: "this machine" or "stage dev". */
  readonly title: string;
  /** The pipeline's `now`: the replay's clock on this machine, else the clock on the wall. */
  readonly now: Date;
  /** The stores that the work uses; undefined in a deployed stage. "" where one is not needed. */
  readonly stores: ServiceUrls | undefined;
  /** How long a slice of an operation may take here: short enough for a lively progress bar, long enough to pay. */
  readonly sliceMs: number;
  /** Calls a function and answers what it returned. @throws what the function threw */
  invoke(name: LocalFunction, event: unknown): Promise<unknown>;
}

export interface TargetFlags {
  folder: string;
  stage?: string;
  kafka?: string;
  opensearch?: string;
  s3?: string;
}

/** Adds the options that say where a command does its work. */
export function withTargetOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--stage <name>', 'a deployed stage instead of this machine; needs AWS credentials'),
    )
    .addOption(
      new Option('--kafka <host:port>', 'on this machine: another Kafka than the pipeline’s').argParser(
        hostAndPort,
      ),
    )
    .addOption(new Option('--opensearch <url>', 'on this machine: another OpenSearch').argParser(httpUrl))
    .addOption(new Option('--s3 <url>', 'on this machine: another S3 server').argParser(httpUrl))
    .addOption(folderOption);
}

/**
 * Does something with the target that the flags name. On this machine engines are started for as long as the work
 * takes, where no pipeline is running.
 * @param needs the stores that the work uses
 */
export function withTarget<T>(
  flags: TargetFlags,
  needs: readonly ServiceName[],
  signal: AbortSignal,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  if (flags.stage !== undefined) return work(stageTarget(flags.stage));
  const { folder } = flags;
  const given = { kafka: flags.kafka, openSearch: flags.opensearch, s3: flags.s3 };
  return withServices({ folder, given, needs, signal }, async (found) => {
    // A function wants every address, also of what the work does not use.
    const urls = {
      kafka: found.kafka || '127.0.0.1:9092',
      openSearch: found.openSearch || 'http://127.0.0.1:9200',
      s3: found.s3 || 'http://127.0.0.1:9000',
    };
    const hosted = new Map<LocalFunction, ReturnType<typeof hostFunction>>();
    const functionOf = (name: LocalFunction) => {
      const running = hosted.get(name) ?? hostFunction(name, { folder, urls });
      hosted.set(name, running);
      return running;
    };
    try {
      return await work({
        title: 'this machine',
        now: localNow(folder),
        stores: found,
        sliceMs: 2_000,
        invoke: (name, event) => functionOf(name).invoke(event),
      });
    } finally {
      await Promise.all([...hosted.values()].map((each) => each.close()));
    }
  });
}

/** A function of a deployed stage failed; the message is its own. */
export class RemoteFunctionError extends Error {
  override readonly name = 'RemoteFunctionError';
}

/** The stage is not deployed where the credentials point, or is an older one. */
export class StageNotFoundError extends Error {
  override readonly name = 'StageNotFoundError';
}

/** The deployed functions, found by the outputs of the stage's stateless stack, called with the user's credentials. */
function stageTarget(stage: string): Target {
  const lambda = new LambdaClient({});
  let outputs: Promise<Map<string, string>> | undefined;
  return {
    title: `stage ${stage}`,
    now: new Date(),
    stores: undefined,
    sliceMs: 20_000,
    async invoke(name, event) {
      outputs ??= stackOutputs(stage);
      const words = name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
      const output = `${words}FunctionName`;
      const FunctionName = (await outputs).get(output);
      if (!FunctionName) {
        throw new StageNotFoundError(
          `The stack of stage "${stage}" has no output ${output}: deploy it again.`,
        );
      }
      const answer = await lambda.send(
        new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(event)) }),
      );
      const payload = JSON.parse(Buffer.from(answer.Payload ?? []).toString('utf8') || 'null');
      if (answer.FunctionError) {
        throw new RemoteFunctionError(`${FunctionName}: ${payload?.errorType}: ${payload?.errorMessage}`);
      }
      return payload;
    },
  };
}

async function stackOutputs(stage: string): Promise<Map<string, string>> {
  const StackName = stackName(stage, 'stateless');
  try {
    const { Stacks } = await new CloudFormationClient({}).send(new DescribeStacksCommand({ StackName }));
    return new Map(
      (Stacks?.[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? '']),
    );
  } catch (cause) {
    throw new StageNotFoundError(
      `Stage "${stage}" was not found (stack ${StackName}): ${(cause as Error).message}. Is it deployed, and do AWS_PROFILE and AWS_REGION point to it?`,
      { cause },
    );
  }
}
