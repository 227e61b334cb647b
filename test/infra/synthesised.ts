import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type StageSettings, stageConfig } from '../../lib/config/stages.ts';
import { addPipeline } from '../../lib/stacks/pipeline.ts';

const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));

/** The app of a stage, built as `cdk synth` builds it, but for the bundles. */
export function buildApp(stage: string, settings: StageSettings = {}) {
  const app = new App({
    // `cdk synth` itself is tested with the default rules (cfn-lint.test.ts).
    context: {
      ...context,
      'aws:cdk:bundling-stacks': [],
      '@aws-cdk/core:validateAgainstDefaultRules': false,
    },
    analyticsReporting: false,
  });
  return { app, ...addPipeline(app, stageConfig(stage, settings)) };
}

/** The templates of a stage. */
export function synthesise(stage: string, settings: StageSettings = {}) {
  const { stateful, stateless, monitoring } = buildApp(stage, settings);
  return {
    stateful: Template.fromStack(stateful),
    stateless: Template.fromStack(stateless),
    monitoring: Template.fromStack(monitoring),
  };
}
