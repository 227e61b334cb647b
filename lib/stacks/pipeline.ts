import { type App, Aspects, Tags } from 'aws-cdk-lib';
import { stackName } from '../config/derived.ts';
import { type StageConfig, StageConfigError } from '../config/stage-config.ts';
import { CheckovAcknowledgements } from './checkov.ts';
import { StatefulStack } from './stateful-stack.ts';
import { StatelessStack } from './stateless-stack.ts';

/**
 * CloudFormation touches 2,500 resources in one operation, those of nested stacks included; more fail in its middle.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
export const MOST_SOURCES = 120;

/**
 * The stacks of one stage, in the account and region of the credentials that deploy them.
 * @throws StageConfigError if there are more sources than one deployment can hold
 */
export function addPipeline(app: App, config: StageConfig) {
  const { stage, sources } = config;
  if (sources.length > MOST_SOURCES) {
    throw new StageConfigError(
      `One stage can have ${MOST_SOURCES} sources, not ${sources.length}: CloudFormation refuses larger deployments. Deploy more stages ("basedOn"), each with some of the sources.`,
    );
  }
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
  Aspects.of(app).add(new CheckovAcknowledgements());
  return { stateful, stateless };
}
