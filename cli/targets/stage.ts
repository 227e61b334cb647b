import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { stackName } from '../../lib/config/stack-names.ts';
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

async function stackOutputs(stage: string): Promise<Map<string, string>> {
  const StackName = stackName(stage, 'stateless');
  try {
    const { Stacks } = await new CloudFormationClient({}).send(new DescribeStacksCommand({ StackName }));
    return new Map(
      (Stacks?.[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? '']),
    );
  } catch (cause) {
    throw new StageNotFoundError(
      `Stage "${stage}" was not found (stack ${StackName}): ${(cause as Error).message}. Check that it is deployed, and that AWS_PROFILE and AWS_REGION are right.`,
      { cause },
    );
  }
}
