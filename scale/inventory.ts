import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, NestedStack, type Stack } from 'aws-cdk-lib';
import type { StageConfig } from '../lib/config/stage-config.ts';
import { addPipeline } from '../lib/stacks/pipeline.ts';
import { at, type Inventory, type Linear } from './growing.ts';
import { withSources } from './workload.ts';

interface Resource {
  Type: string;
  Properties?: { Metrics?: { MetricStat?: unknown }[] };
}

const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'));

/** An app as `cdk synth` builds it, but without what takes it longest: bundles, and CDK's check of the templates. */
export function appWithoutBundles(): App {
  return new App({
    context: { ...context, 'aws:cdk:bundling-stacks': [] },
    analyticsReporting: false,
    builtinCloudFormationValidation: false,
    stackTraces: false,
    treeMetadata: false,
  });
}

interface Template {
  Resources: Record<string, Resource>;
  Outputs?: object;
}

/** A stack as it is deployed. */
interface DeployedStack {
  template: Template;
  size: number;
  /** Also those of nested stacks. */
  resources: Resource[];
}

function deployedStacks(config: StageConfig): DeployedStack[] {
  const app = appWithoutBundles();
  const { stateful, stateless } = addPipeline(app, config);
  const { directory } = app.synth();
  const textOf = ({ templateFile }: Stack) => readFileSync(join(directory, templateFile), 'utf8');
  const resourcesOf = (text: string) => Object.values((JSON.parse(text) as Template).Resources);
  return [stateful, stateless].map((stack) => {
    const text = textOf(stack);
    const nested = stack.node.findAll().filter((each) => each instanceof NestedStack);
    return {
      template: JSON.parse(text) as Template,
      size: text.length,
      resources: [text, ...nested.map(textOf)].flatMap(resourcesOf),
    };
  });
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
  const [one = [], two = []] = [1, 2].map((sources) => deployedStacks(withSources(config, sources)));
  const linear = (count: (stacks: DeployedStack[]) => number): Linear => {
    const perSource = count(two) - count(one);
    return { fixed: count(one) - perSource, perSource };
  };
  const counted = (type: string) =>
    linear(
      (stacks) =>
        ofType(
          stacks.flatMap(({ resources }) => resources),
          type,
        ).length,
    );
  const largest = (count: (stack: DeployedStack) => number): Linear =>
    one
      .map((_, position) => linear((stacks) => count(stacks[position] as DeployedStack)))
      .reduce((a, b) => (at(b, MANY_SOURCES) > at(a, MANY_SOURCES) ? b : a));
  return {
    stackResources: largest(({ template }) => Object.keys(template.Resources).length),
    deployedResources: largest(({ resources }) => resources.length),
    outputs: largest(({ template }) => Object.keys(template.Outputs ?? {}).length),
    templateSize: largest(({ size }) => size),
    alarmMetrics: linear((stacks) => alarmMetrics(stacks.flatMap(({ resources }) => resources))),
    compositeAlarms: counted('AWS::CloudWatch::CompositeAlarm'),
    dashboards: counted('AWS::CloudWatch::Dashboard'),
    secrets: counted('AWS::SecretsManager::Secret'),
    functions: counted('AWS::Lambda::Function'),
    roles: counted('AWS::IAM::Role'),
    metricAlarms: counted('AWS::CloudWatch::Alarm'),
  };
}

/** The stack that grows fastest counts, however much smaller it is with one source. */
const MANY_SOURCES = 100;
