import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import type { StageConfig } from '../lib/config/stage-config.ts';
import { addPipeline } from '../lib/stacks/pipeline.ts';
import { withSources } from './workload.ts';

/** A number that grows with the sources: `fixed + perSource × sources`. */
export interface Linear {
  fixed: number;
  perSource: number;
}

/** The resources in a stage's templates that are limited or billed by number. */
export interface Inventory {
  /** In the stack that grows fastest. */
  stackResources: Linear;
  /** Metrics that alarms watch: an alarm with a formula is billed for each of its metrics. */
  alarmMetrics: Linear;
  compositeAlarms: Linear;
  dashboards: Linear;
  secrets: Linear;
  functions: Linear;
}

interface Resource {
  Type: string;
  Properties?: { Metrics?: { MetricStat?: unknown }[] };
}

const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'));

/** An app as `cdk synth` builds it, but without bundles and CDK's own rules. */
export function appWithoutBundles(): App {
  return new App({
    context: {
      ...context,
      'aws:cdk:bundling-stacks': [],
      '@aws-cdk/core:validateAgainstDefaultRules': false,
    },
    analyticsReporting: false,
  });
}

function resourcesOfStacks(config: StageConfig): Resource[][] {
  const app = appWithoutBundles();
  addPipeline(app, config);
  return app.synth().stacks.map(({ template }) => Object.values(template.Resources));
}

const ofType = (resources: readonly Resource[], type: string) =>
  resources.filter(({ Type }) => Type === type);

function alarmMetrics(resources: readonly Resource[]): number {
  return ofType(resources, 'AWS::CloudWatch::Alarm').reduce((sum, { Properties }) => {
    const inFormula = Properties?.Metrics?.filter(({ MetricStat }) => MetricStat !== undefined).length ?? 0;
    return sum + Math.max(1, inFormula);
  }, 0);
}

/** Counts resources in the stage's templates with one source and with two, to learn what each source adds. */
export function inventoryOf(config: StageConfig): Inventory {
  const [one, two] = [1, 2].map((sources) => resourcesOfStacks(withSources(config, sources)));
  const linear = (count: (resources: Resource[]) => number): Linear => {
    const [withOne, withTwo] = [one, two].map((stacks) => count((stacks ?? []).flat())) as [number, number];
    const perSource = withTwo - withOne;
    return { fixed: withOne - perSource, perSource };
  };
  const counted = (type: string) => linear((resources) => ofType(resources, type).length);
  const perStack = (one ?? []).map((resources, position): Linear => {
    const perSource = (two?.[position]?.length ?? 0) - resources.length;
    return { fixed: resources.length - perSource, perSource };
  });
  return {
    stackResources: perStack.reduce((a, b) => (b.perSource > a.perSource ? b : a)),
    alarmMetrics: linear(alarmMetrics),
    compositeAlarms: counted('AWS::CloudWatch::CompositeAlarm'),
    dashboards: counted('AWS::CloudWatch::Dashboard'),
    secrets: counted('AWS::SecretsManager::Secret'),
    functions: counted('AWS::Lambda::Function'),
  };
}

export const at = ({ fixed, perSource }: Linear, sources: number) => fixed + perSource * sources;
