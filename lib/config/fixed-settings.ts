import type { StageConfig } from './stage-config.ts';

/** CloudFormation refuses a template with null in it. */
const NOT_SET = 'not set';

/** A setting that a deployed stage cannot change, or not in every direction. */
interface FixedSetting {
  /** `stream.topic.name` */
  readonly path: string;
  /** Whether a change is one that AWS makes. @default none is */
  readonly allows?: (before: unknown, after: unknown) => boolean;
  /** What a change would do: a sentence without the full stop. */
  readonly effect: string;
  /** What to do instead; a sentence. */
  readonly instead: string;
}

const grows = (before: unknown, after: unknown) =>
  String(before).localeCompare(String(after), 'en', { numeric: true }) <= 0;
const isBurstable = (type: unknown) => String(type).startsWith('kafka.t3.');

const NEW_NETWORK = {
  effect: 'it replaces the subnets, and with them Kafka and OpenSearch with all that they hold',
  instead: 'Deploy a second stage with it, copy the lake and rebuild.',
};
const NEW_TOPIC = {
  effect: 'it replaces the topic, with what waits on it',
  instead:
    'Wait until nothing lags, remove the topic, and accept it: polls produce from the lake what is missing.',
};

/**
 * What CloudFormation replaces (`createOnlyProperties` of its schemas; a test compares) or what MSK or S3 refuse to change.
 * docs/aws.md lists them.
 */
export const FIXED_SETTINGS: readonly FixedSetting[] = [
  { path: 'network.availabilityZones', ...NEW_NETWORK },
  { path: 'network.zones', ...NEW_NETWORK },
  { path: 'network.existing', ...NEW_NETWORK },
  {
    path: 'stream.existing',
    effect: 'it removes one cluster and moves to another',
    instead: 'Wait until nothing lags, then accept it: polls produce from the lake what is missing.',
  },
  {
    path: 'stream.clusterName',
    effect: 'it replaces the cluster, with what waits on it',
    instead: 'Leave the name alone.',
  },
  {
    path: 'stream.kafkaVersion',
    allows: grows,
    effect: 'MSK does not go back to an earlier version',
    instead: 'Keep the version.',
  },
  {
    path: 'stream.instanceType',
    allows: (before, after) => isBurstable(before) || !isBurstable(after),
    effect: 'MSK does not go back to T3 brokers',
    instead: 'Keep the type, or deploy a second stage.',
  },
  {
    path: 'stream.storageGb',
    allows: grows,
    effect: 'MSK does not shrink storage',
    instead: 'Keep the size.',
  },
  { path: 'stream.topic.name', ...NEW_TOPIC },
  {
    path: 'stream.topic.partitions',
    allows: grows,
    effect: 'Kafka does not take partitions away',
    instead: 'Keep the number.',
  },
  { path: 'stream.topic.replicationFactor', ...NEW_TOPIC },
  {
    path: 'lake.lockDays',
    allows: (_, after) => after !== undefined && after !== NOT_SET,
    effect: 'S3 never switches Object Lock off again',
    instead: 'Set it to 1: later batches are locked for a day.',
  },
];

/** Values by path, as they are recorded in the template. */
export type FixedValues = Readonly<Record<string, unknown>>;

export function fixedValuesOf(config: StageConfig): FixedValues {
  return Object.fromEntries(FIXED_SETTINGS.map(({ path }) => [path, valueAt(config, path) ?? NOT_SET]));
}

function valueAt(config: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inside, key) => (inside as Record<string, unknown> | undefined)?.[key], config);
}

/**
 * The changes to a deployed stage that are refused, a sentence each. @param deployed the recorded values; a
 * value that was never recorded may change @param accepted paths that may change anyway, or `true` for all
 */
export function refusedChanges(
  deployed: FixedValues,
  wanted: FixedValues,
  accepted: readonly string[],
): string[] {
  return FIXED_SETTINGS.filter(({ path, allows }) => {
    const [before, after] = [deployed[path], wanted[path]];
    if (before === undefined || JSON.stringify(before) === JSON.stringify(after)) return false;
    return !accepted.includes(path) && !accepted.includes('true') && !allows?.(before, after);
  }).map(
    ({ path, effect, instead }) =>
      `${path} cannot change from ${JSON.stringify(deployed[path])} to ${JSON.stringify(wanted[path])}: ${effect}. ${instead} (-c acceptReplacement=${path} deploys it anyway.)`,
  );
}
