import { Metrics } from '@aws-lambda-powertools/metrics';
import * as z from 'zod';
import {
  dimensionsOf,
  type EmitMetrics,
  METRIC_GROUPS,
  METRICS_NAMESPACE,
  type MetricUnit,
} from '../../core/runtime/metrics.ts';

/** What a function that emits metrics has in its environment. */
export const metricsVariables = {
  /** A dimension of every metric. No default: the alarms would not find what another stage's name stands on. */
  STAGE: z.string().min(1),
};

/**
 * Emits metrics as CloudWatch's embedded metric format: each call prints one line on stdout, which Lambda's logs turn
 * into metrics (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
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
    // Without any, Powertools would warn.
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
  };
}
