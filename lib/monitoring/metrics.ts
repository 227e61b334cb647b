import { Duration } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import {
  dimensionsOf,
  METRICS_NAMESPACE,
  type MetricDimensions,
  type MetricGroup,
  type MetricName,
} from '../../core/runtime/metrics.ts';

/** A metric that a function emits, with all of its dimensions. */
export function ownMetric<Group extends MetricGroup>(
  group: Group,
  stage: string,
  own: MetricDimensions<Group>,
  metricName: MetricName<Group>,
  options: { statistic: string; period?: Duration } & Pick<MetricOptions, 'label'>,
): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: dimensionsOf(group, stage, own, metricName),
    period: Duration.minutes(5),
    ...options,
  });
}
