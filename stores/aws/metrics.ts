import { Metrics } from '@aws-lambda-powertools/metrics';
import * as z from 'zod';
import {
  dimensionsOf,
  type EmitMetrics,
  METRIC_GROUPS,
  METRICS_NAMESPACE,
  type MetricUnit,
} from '../../core/runtime/metrics.ts';

/** The environment of a function that emits metrics. */
export const metricsVariables = {
  /** A dimension of every metric. No default: alarms would not find metrics under another stage's name. */
  STAGE: z.string().min(1),
};

/**
 * Emits metrics in CloudWatch's embedded metric format: each call prints one line to stdout, which CloudWatch turns into
 * metrics (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
 */
export function createMetrics(stage: string): EmitMetrics {
  return (group, own, values) => {
    const metrics = new Metrics({
      namespace: METRICS_NAMESPACE,
      serviceName: group,
      defaultDimensions: dimensionsOf(group, stage, own),
    });
    for (const [name, unit] of Object.entries<MetricUnit>(METRIC_GROUPS[group].metrics)) {
      const value = values[name as keyof typeof values];
      if (value !== undefined) metrics.addMetric(name, unit, value);
    }
    // Powertools warns if there are none.
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
  };
}
