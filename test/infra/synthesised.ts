import { type CfnElement, NestedStack, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { sourceNamed } from '../../exchanges/source-config.ts';
import type { StageSettings } from '../../lib/config/settings.ts';
import { type StageName, stageConfig } from '../../lib/config/stages.ts';
import { addPipeline } from '../../lib/stacks/pipeline.ts';
import { appWithoutBundles } from '../../scale/inventory.ts';

/** A source with several categories; the stages poll one that has only one. */
export const bybit = { ...sourceNamed('bybit'), samplingIntervalMinutes: 2 } as const;

/** A bucket elsewhere for the lake's replica, and its key. */
export const replica = {
  bucketArn: 'arn:aws:s3:::lake-elsewhere',
  keyArn: 'arn:aws:kms:eu-west-1:111122223333:key/0123abcd-0123-4567-89ab-0123456789ab',
};

/** A new app of a stage, built as `cdk synth` builds it, but for the bundles. */
export function buildApp(stage: StageName, settings: StageSettings = {}) {
  // `cdk synth` itself is tested with the default rules (cfn-lint.test.ts).
  const app = appWithoutBundles();
  return { app, ...addPipeline(app, stageConfig(stage, settings)) };
}

type Templates = Record<'stateful' | 'stateless', Template>;

/** Kept for all files of a worker, many of which use the same apps. */
const built = new Map<string, ReturnType<typeof buildApp>>();
const synthesised = new Map<string, Templates>();

/** The app of a stage, possibly shared with other tests, so its constructs must not be changed. */
export function builtApp(stage: StageName, settings: StageSettings = {}): ReturnType<typeof buildApp> {
  const key = JSON.stringify([stage, settings]);
  const found = built.get(key) ?? buildApp(stage, settings);
  built.set(key, found);
  return found;
}

/** The templates of a stage. */
export function synthesise(stage: StageName, settings: StageSettings = {}): Templates {
  const key = JSON.stringify([stage, settings]);
  const found = synthesised.get(key) ?? templatesOf(builtApp(stage, settings));
  synthesised.set(key, found);
  return found;
}

/** The templates of a stage from an app that nothing else has used. */
export function synthesiseAgain(stage: StageName, settings: StageSettings = {}): Templates {
  return templatesOf(buildApp(stage, settings));
}

function templatesOf({ stateful, stateless }: ReturnType<typeof buildApp>): Templates {
  return { stateful: templateOf(stateful), stateless: templateOf(stateless) };
}

interface Resource {
  Type: string;
  Properties?: { Parameters?: Record<string, unknown> };
  DependsOn?: string[];
}

interface TemplateJson {
  Resources: Record<string, Resource>;
  Outputs?: Record<string, { Value: unknown }>;
}

/**
 * A stack's template with the resources of its nested stacks, as if there were one template: their ids begin with that of
 * the nested stack, and what goes through parameters and outputs refers to its resource.
 */
export function templateOf(stack: Stack): Template {
  const { Resources: all, ...rest } = Template.fromStack(stack).toJSON() as TemplateJson;
  const outputs = new Map<string, unknown>();
  const nested: Record<string, Resource> = {};
  const stackIds = new Set<string>();
  for (const child of stack.node.children.filter((each) => each instanceof NestedStack)) {
    const stackId = stack.getLogicalId(child.nestedStackResource as CfnElement);
    stackIds.add(stackId);
    const { Properties, DependsOn: before = [] } = all[stackId] as Resource;
    const own = Template.fromStack(child).toJSON() as TemplateJson;
    const prefix = child.node.id.replace(/[^A-Za-z0-9]/g, '');
    const moved = (value: unknown) =>
      replaced(value, (name, attribute) => {
        if (attribute === undefined && Properties?.Parameters?.[name]) return Properties.Parameters[name];
        if (!(name in own.Resources)) return undefined;
        return attribute === undefined
          ? { Ref: prefix + name }
          : { 'Fn::GetAtt': [prefix + name, attribute] };
      });
    for (const [id, { DependsOn = [], ...resource }] of Object.entries(own.Resources)) {
      const after = [...before, ...DependsOn.map((each) => prefix + each)];
      nested[prefix + id] = { ...(moved(resource) as Resource), DependsOn: after };
    }
    for (const [name, { Value }] of Object.entries(own.Outputs ?? {})) {
      outputs.set(`${stackId}.Outputs.${name}`, moved(Value));
    }
  }
  const direct = <T>(value: T) =>
    replaced(value, (name, attribute) => outputs.get(`${name}.${attribute}`)) as T;
  const others = Object.entries(all)
    .filter(([id]) => !stackIds.has(id))
    .map(([id, { DependsOn, ...resource }]) => {
      const after = DependsOn && { DependsOn: DependsOn.filter((each) => !stackIds.has(each)) };
      return [id, { ...direct(resource), ...after }];
    });
  return Template.fromJSON({ ...direct(rest), Resources: { ...nested, ...Object.fromEntries(others) } });
}

/** Replaces each reference for which there is another. */
function replaced(value: unknown, by: (name: string, attribute?: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => replaced(each, by));
  if (typeof value !== 'object' || value === null) return value;
  const { Ref: name, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: [string, string] };
  const other = name !== undefined ? by(name) : attribute ? by(...attribute) : undefined;
  if (other !== undefined) return other;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaced(each, by)]));
}

/** Whatever adds resources. */
export const EVERYTHING: StageSettings = {
  bastion: true,
  repairGaps: true,
  alarms: {
    pages: ['on-call@example.com'],
    chat: [{ app: 'slack', workspaceId: 'T012ABCDEFG', channelId: 'C012ABCDEFG', topics: ['pages'] }],
  },
  budget: { monthlyUsd: 250 },
  lake: { replica },
};

/** The stages that tools with AWS's rules check. */
export const CHECKED_STAGES: [title: string, stage: StageName, settings: StageSettings][] = [
  ['dev', 'dev', {}],
  ['prod', 'prod', {}],
  ['dev with everything optional', 'dev', EVERYTHING],
];
