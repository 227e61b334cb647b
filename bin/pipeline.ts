import { App } from 'aws-cdk-lib';
import { requireCommercial } from '../lib/config/region.ts';
import { readSettings } from '../lib/config/settings.ts';
import { StageConfigError } from '../lib/config/stage-config.ts';
import { stageConfigByName } from '../lib/config/stages.ts';
import { requireAttended } from '../lib/config/unattended.ts';
import { addPipeline } from '../lib/stacks/pipeline.ts';
import { requireUnchanged } from './deployed.ts';

/*
 * The CDK app, and the only place that reads its context:
 *   -c stage=dev|prod            the stage, dev by default
 *   -c settings=FILE.json        your own settings, laid over the stage's (docs/aws.md)
 *   -c kafkaClusterArn=ARN       an existing MSK cluster to use instead of creating one
 *   -c kafkaSecurityGroupId=sg-… the security group of that cluster, to be opened to the functions
 *   -c acceptReplacement=SETTING settings whose change replaces something, with commas in between (docs/aws.md)
 *   -c lakeAcceptsCopies=true    while another lake is copied into this one (docs/aws.md)
 *   -c acceptUnattended=SETTING  alarms.pages and budget, to deploy without notifications (docs/aws.md)
 */
const app = new App();

function context(name: string): string | undefined {
  const value: unknown = app.node.tryGetContext(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const accepted = (name: string) => context(name)?.split(',') ?? [];

try {
  requireCommercial(process.env.CDK_DEFAULT_REGION);
  const settings = readSettings(context('settings'));
  const clusterArn = context('kafkaClusterArn');
  const securityGroupId = context('kafkaSecurityGroupId');
  if (clusterArn) {
    const existing = { clusterArn, ...(securityGroupId ? { securityGroupId } : {}) };
    settings.stream = { ...(settings.stream as object | undefined), existing };
  }
  if (context('lakeAcceptsCopies') === 'true') {
    settings.lake = { ...(settings.lake as object | undefined), acceptsCopies: true };
  }
  const config = stageConfigByName(context('stage') ?? 'dev', settings);
  requireAttended(config, accepted('acceptUnattended'));
  requireUnchanged(config, accepted('acceptReplacement'));
  addPipeline(app, config);
  app.synth();
} catch (error) {
  if (!(error instanceof StageConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
