import { type App, Tags } from 'aws-cdk-lib';
import { stackName } from '../config/derived.ts';
import type { StageConfig } from '../config/stage-config.ts';
import { StatefulStack } from './stateful-stack.ts';
import { StatelessStack } from './stateless-stack.ts';

/** The stacks of one stage, in the account and region of the credentials that deploy them. */
export function addPipeline(app: App, config: StageConfig) {
  const { stage } = config;
  const terminationProtection = config.dataOnRemoval === 'retain';
  const stateful = new StatefulStack(app, stackName(stage, 'stateful'), {
    description: `Crypto market insights (${stage}): network, stream, lake, OpenSearch, notifications`,
    config,
    terminationProtection,
  });
  const stateless = new StatelessStack(app, stackName(stage, 'stateless'), {
    description: `Crypto market insights (${stage}): functions, schedules, setup, monitoring`,
    config,
    stateful,
    terminationProtection,
  });
  Tags.of(app).add('application', 'crypto-market-insights');
  Tags.of(app).add('stage', stage);
  return { stateful, stateless };
}
