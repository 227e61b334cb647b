import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { type AlarmContext, below, doctorCommand, PipelineAlarm } from '../monitoring/alarm.ts';

export interface ControllerAlarmProps extends AlarmContext {
  readonly clusterName: string;
}

/**
 * For any cluster, including an existing one: whether it has a controller. Only the maximum makes sense, since each node
 * reports 0 or 1 for itself. A cluster without ZooKeeper may report nothing, which is not a fault.
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
      threshold: below(1),
      breaching: { datapoints: 3, of: 3 },
      condition: 'The Kafka cluster has had no active controller for 15 min',
      meaning: 'Partitions that lose their broker get no new leader; the others keep working.',
      firstCommand: doctorCommand(stage),
      runbook: 'kafka-controller',
    });
  }
}
