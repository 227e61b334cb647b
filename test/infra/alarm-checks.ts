import {
  dimensionsOf,
  METRIC_GROUPS,
  METRICS_NAMESPACE,
  type MetricGroup,
  type MetricName,
  metricGroup,
} from '../../core/runtime/metrics.ts';
import type { StageConfig } from '../../lib/config/stage-config.ts';
import { AWS_METRIC_SECONDS, AWS_METRICS } from './aws-metrics.ts';

/** An `AWS::CloudWatch::Alarm` of a template; what CloudFormation computes is an object. */
export interface AlarmProperties {
  AlarmName: string;
  AlarmDescription: unknown;
  AlarmActions?: unknown[];
  OKActions?: unknown[];
  TreatMissingData?: string;
  EvaluationPeriods: number;
  DatapointsToAlarm?: number;
  Namespace?: string;
  MetricName?: string;
  Dimensions?: Dimension[];
  Statistic?: string;
  ExtendedStatistic?: string;
  Period?: number;
  Metrics?: { Expression?: string; MetricStat?: { Metric: MetricId; Stat: string; Period: number } }[];
}

interface Dimension {
  Name: string;
  Value: unknown;
}

interface MetricId {
  Namespace: string;
  MetricName: string;
  Dimensions?: Dimension[];
}

/** A metric that an alarm watches. */
export interface WatchedMetric {
  namespace: string;
  name: string;
  dimensions: Record<string, unknown>;
  statistic: string;
  periodSeconds: number;
}

/** The metrics of an alarm, including those in its formula. */
export function metricsOf(alarm: AlarmProperties): WatchedMetric[] {
  const { Metrics, Namespace, MetricName, Dimensions, Statistic, ExtendedStatistic, Period } = alarm;
  const watched = (metric: MetricId, statistic: string, periodSeconds: number): WatchedMetric => ({
    namespace: metric.Namespace,
    name: metric.MetricName,
    dimensions: Object.fromEntries((metric.Dimensions ?? []).map(({ Name, Value }) => [Name, Value])),
    statistic,
    periodSeconds,
  });
  if (Metrics) {
    return Metrics.flatMap(({ MetricStat }) =>
      MetricStat ? [watched(MetricStat.Metric, MetricStat.Stat, MetricStat.Period)] : [],
    );
  }
  const id = {
    Namespace: Namespace as string,
    MetricName: MetricName as string,
    ...(Dimensions ? { Dimensions } : {}),
  };
  return [watched(id, (Statistic ?? ExtendedStatistic) as string, Period as number)];
}

/** What is wrong with an alarm, a sentence each. */
export function complaintsAbout(alarm: AlarmProperties, config: StageConfig): string[] {
  const metrics = metricsOf(alarm);
  return [
    ...metrics.flatMap((metric) => aboutMetric(metric, config)),
    ...metrics.flatMap((metric) => aboutTime(alarm, metric, config)),
    ...(alarm.TreatMissingData ? [] : ['treatment of missing data is not set']),
    ...metrics.flatMap(({ name }) =>
      RARE_METRICS.has(name) && alarm.TreatMissingData !== 'notBreaching'
        ? [`${name} is missing while all is well`]
        : [],
    ),
  ];
}

/** What is wrong with a metric that an alarm watches or a dashboard shows, a sentence each. */
export function aboutMetric(metric: WatchedMetric, config: StageConfig): string[] {
  return metric.namespace === METRICS_NAMESPACE
    ? aboutOwnMetric(metric, config)
    : aboutAwsMetric(metric, config);
}

/** By contract: the name, and every dimension with a value that a function of this stage emits. */
function aboutOwnMetric({ name, dimensions }: WatchedMetric, { stage, sources }: StageConfig): string[] {
  const groups = (Object.keys(METRIC_GROUPS) as MetricGroup[]).filter((group) =>
    Object.hasOwn(metricGroup(group).metrics, name),
  );
  if (groups.length === 0) return [`no function emits ${name}`];
  const emitted = groups.flatMap((group) =>
    sources.map(({ name: source, exchange }) => {
      const values: Record<string, string> = { source, exchange };
      const own = Object.fromEntries(metricGroup(group).dimensions.map((each) => [each, values[each]]));
      return dimensionsOf(group, stage, own as never, name as MetricName<typeof group>);
    }),
  );
  return emitted.some((each) => sameEntries(each, dimensions))
    ? []
    : [`${name} is not emitted with ${JSON.stringify(dimensions)}`];
}

function aboutAwsMetric(metric: WatchedMetric, { stream }: StageConfig): string[] {
  const { namespace, name, dimensions, statistic } = metric;
  const known = AWS_METRICS[namespace]?.[name];
  if (!known) return [`${namespace} has no ${name}`];
  const names = Object.keys(dimensions).sort().join(', ');
  return [
    ...(known.dimensions.split(', ').sort().join(', ') === names
      ? []
      : [`${name} does not come by ${names || 'no dimension'}`]),
    ...(known.statistics.includes(statistic) ? [] : [`${statistic} of ${name} says nothing`]),
    ...(known.level && stream.monitoring === 'DEFAULT'
      ? [`${name} is not emitted at the monitoring level ${stream.monitoring}`]
      : []),
    ...(known.onlyOn && !stream.instanceType.startsWith(known.onlyOn)
      ? [`${stream.instanceType} does not emit ${name}`]
      : []),
  ];
}

const DAY_SECONDS = 86_400;

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html */
function aboutTime(alarm: AlarmProperties, metric: WatchedMetric, config: StageConfig): string[] {
  const { EvaluationPeriods: periods, DatapointsToAlarm: datapoints = periods } = alarm;
  const { periodSeconds, name } = metric;
  const everySeconds = secondsBetween(metric, config);
  const longest = periodSeconds >= 3_600 ? 7 * DAY_SECONDS : DAY_SECONDS;
  return [
    ...(periodSeconds % 60 === 0 ? [] : [`a period of ${periodSeconds} s is no multiple of 60`]),
    ...(periodSeconds * periods <= longest
      ? []
      : [`${periods} periods of ${periodSeconds} s are more than CloudWatch looks back`]),
    ...(periodSeconds >= everySeconds
      ? []
      : [`${name} comes every ${everySeconds} s: periods of ${periodSeconds} s are empty in between`]),
    ...(datapoints >= 2 || isEvent(metric) ? [] : [`one datapoint of ${name} is enough: it flaps`]),
  ];
}

/** Own metrics that count events that should never happen. */
const OWN_EVENTS = new Set(['DeadLetters', 'SuspiciousAnswers', 'UnreadableInLake']);

/** The names of own metrics that are emitted only in trouble. */
export const RARE_METRICS: ReadonlySet<string> = new Set(
  Object.keys(METRIC_GROUPS).flatMap((group) => metricGroup(group as MetricGroup).rare ?? []),
);

function isEvent({ namespace, name }: WatchedMetric): boolean {
  return namespace === METRICS_NAMESPACE ? OWN_EVENTS.has(name) : !!AWS_METRICS[namespace]?.[name]?.isEvent;
}

function secondsBetween({ namespace, dimensions }: WatchedMetric, { sources }: StageConfig): number {
  if (namespace !== METRICS_NAMESPACE) return AWS_METRIC_SECONDS;
  const source = sources.find(({ name }) => name === dimensions.source);
  return source ? source.samplingIntervalMinutes * 60 : AWS_METRIC_SECONDS;
}

function sameEntries(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
