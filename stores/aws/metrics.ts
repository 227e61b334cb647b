import { Metrics } from '@aws-lambda-powertools/metrics';
import * as z from 'zod';
import { type EmitMetrics, METRICS_NAMESPACE, metricGroup } from '../../core/runtime/metrics.ts';

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
    const { metrics: units, rare, ofStage } = metricGroup(group);
    const metrics = new Metrics({
      namespace: METRICS_NAMESPACE,
      serviceName: group,
      defaultDimensions: { service: group, stage, ...own },
    });
    for (const [name, unit] of Object.entries(units)) {
      const value = values[name as keyof typeof values];
      if (value === undefined || (value === 0 && rare?.includes(name))) continue;
      metrics.addMetric(name, unit, value);
    }
    // Powertools warns if there are none.
    if (!metrics.hasStoredMetrics()) return;
    const line = metrics.serializeMetrics();
    if (ofStage) line._aws.CloudWatchMetrics = apart(line._aws.CloudWatchMetrics, ofStage);
    process.stdout.write(`${JSON.stringify(line)}\n`);
  };
}

type Directives = ReturnType<Metrics['serializeMetrics']>['_aws']['CloudWatchMetrics'];

/** Takes the metrics of the stage out of those with dimensions of their own. */
function apart(directives: Directives, ofStage: readonly string[]): Directives {
  return directives.flatMap((directive) => {
    const part = (own: boolean) => directive.Metrics.filter(({ Name }) => ofStage.includes(Name) !== own);
    return [
      { ...directive, Metrics: part(true) },
      {
        ...directive,
        Dimensions: [['service', 'stage']] as Directives[number]['Dimensions'],
        Metrics: part(false),
      },
    ].filter(({ Metrics }) => Metrics.length > 0);
  });
}
