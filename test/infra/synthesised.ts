import { Template } from 'aws-cdk-lib/assertions';
import { sourceNamed } from '../../exchanges/source-config.ts';
import type { StageSettings } from '../../lib/config/settings.ts';
import { type StageName, stageConfig } from '../../lib/config/stages.ts';
import { addPipeline } from '../../lib/stacks/pipeline.ts';
import { appWithoutBundles } from '../../scale/inventory.ts';

/** A source with several categories; the stages poll one that has only one. */
export const bybit = { ...sourceNamed('bybit'), samplingIntervalMinutes: 2 } as const;

/** The app of a stage, built as `cdk synth` builds it, but for the bundles. */
export function buildApp(stage: StageName, settings: StageSettings = {}) {
  // `cdk synth` itself is tested with the default rules (cfn-lint.test.ts).
  const app = appWithoutBundles();
  return { app, ...addPipeline(app, stageConfig(stage, settings)) };
}

/** The templates of a stage. */
export function synthesise(stage: StageName, settings: StageSettings = {}) {
  const { stateful, stateless } = buildApp(stage, settings);
  return {
    stateful: Template.fromStack(stateful),
    stateless: Template.fromStack(stateless),
  };
}
