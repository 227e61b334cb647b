import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { StageConfigError } from '../lib/config/stage-config.ts';
import { type StageSettings, stageConfig } from '../lib/config/stages.ts';
import { addPipeline } from '../lib/stacks/pipeline.ts';

/*
 * The CDK app, and the only place that reads its context:
 *   -c stage=dev|prod            which stage (dev)
 *   -c settings=FILE.json        settings of one's own, laid over the stage's (docs/aws.md)
 *   -c kafkaClusterArn=ARN       an MSK cluster that is there already, instead of one of our own
 *   -c kafkaSecurityGroupId=sg-… … and its security group, which is opened for our functions
 */
const app = new App();

function context(name: string): string | undefined {
  const value: unknown = app.node.tryGetContext(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function readSettings(file: string): StageSettings {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as StageSettings;
  } catch (cause) {
    throw new StageConfigError(`The settings in ${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

try {
  const settingsFile = context('settings');
  const settings = settingsFile ? readSettings(settingsFile) : {};
  const clusterArn = context('kafkaClusterArn');
  const securityGroupId = context('kafkaSecurityGroupId');
  if (clusterArn) {
    const stream = (settings.stream ?? {}) as StageSettings;
    settings.stream = {
      ...stream,
      existing: { clusterArn, ...(securityGroupId ? { securityGroupId } : {}) },
    };
  }
  addPipeline(app, stageConfig(context('stage') ?? 'dev', settings));
  app.synth();
} catch (error) {
  if (!(error instanceof StageConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
