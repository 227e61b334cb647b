import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { stackName } from '../../lib/config/derived.ts';
import type { Target } from './target.ts';

/** A function of a deployed stage failed; the message is the function's. */
export class RemoteFunctionError extends Error {
  override readonly name = 'RemoteFunctionError';
}

/** The stage is not deployed in this account and region, or an older version of it is. */
export class StageNotFoundError extends Error {
  override readonly name = 'StageNotFoundError';
}

/** The functions of a deployed stage, called with the user's credentials. The outputs of its stack name them. */
export function stageTarget(stage: string): Target {
  const lambda = new LambdaClient({});
  let stack: Promise<DeployedStack> | undefined;
  const findStack = () => {
    stack ??= deployedStack(stage);
    return stack;
  };
  return {
    title: `stage ${stage}`,
    stage,
    now: new Date(),
    stores: undefined,
    place: async () => [(await findStack()).arn],
    sliceMs: 20_000,
    async invoke(name, event) {
      const words = name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
      const output = `${words}FunctionName`;
      const FunctionName = (await findStack()).outputs.get(output);
      if (!FunctionName) {
        throw new StageNotFoundError(
          `The stack of stage "${stage}" has no output ${output}. Deploy the stage again.`,
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

interface DeployedStack {
  /** Names the account and the region, too. */
  arn: string;
  outputs: Map<string, string>;
}

/** An output of one of a stage's stacks. @throws StageNotFoundError */
export async function outputOf(stage: string, part: 'stateful' | 'stateless', name: string): Promise<string> {
  const value = (await deployedStack(stage, part)).outputs.get(name);
  if (value) return value;
  throw new StageNotFoundError(
    `The ${part} stack of stage "${stage}" has no output ${name}. Deploy the stage again.`,
  );
}

async function deployedStack(
  stage: string,
  part: 'stateful' | 'stateless' = 'stateless',
): Promise<DeployedStack> {
  const StackName = stackName(stage, part);
  try {
    const { Stacks } = await new CloudFormationClient({}).send(new DescribeStacksCommand({ StackName }));
    const { StackId = '', Outputs = [] } = Stacks?.[0] ?? {};
    return {
      arn: StackId,
      outputs: new Map(Outputs.map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? ''])),
    };
  } catch (cause) {
    throw new StageNotFoundError(
      `Stage "${stage}" was not found (stack ${StackName}): ${(cause as Error).message}. Check that it is deployed, and that AWS_PROFILE and AWS_REGION are right.`,
      { cause },
    );
  }
}
