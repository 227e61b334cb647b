import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { PipelineAlarm } from '../monitoring/alarm.ts';
import type { Notifications } from '../monitoring/notifications.ts';

export interface ControllerAlarmProps {
  readonly notifications: Notifications;
  readonly stage: string;
  readonly clusterName: string;
}

/**
 * Of any cluster, also one that was there before: whether somebody leads it. Only a maximum counts, each node says 0 or
 * 1 for itself; a cluster without ZooKeeper may say nothing at all, which is no fault.
 * https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html
 */
export class ControllerAlarm extends Construct {
  constructor(scope: Construct, id: string, { notifications, stage, clusterName }: ControllerAlarmProps) {
    super(scope, id);
    new PipelineAlarm(this, 'None', {
      notifications,
      metric: new Metric({
        namespace: 'AWS/Kafka',
        metricName: 'ActiveControllerCount',
        dimensionsMap: { 'Cluster Name': clusterName },
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      breaching: { datapoints: 3, of: 3 },
      missingData: TreatMissingData.NOT_BREACHING,
      condition: 'The Kafka cluster has no active controller for 15 min',
      meaning: 'Partitions that lose their broker find no new one; what runs goes on.',
      firstCommand: `npm run doctor -- --stage ${stage}`,
      runbook: 'kafka-controller',
    });
  }
}
