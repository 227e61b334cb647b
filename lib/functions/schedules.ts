import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { PipelineAlarm } from '../monitoring/alarm.ts';
import type { Notifications } from '../monitoring/notifications.ts';

export interface SchedulesProps {
  readonly notifications: Notifications;
  readonly stage: string;
}

/**
 * The schedules of a stage, in a group of their own: Scheduler counts by group, and the default one belongs to the
 * whole account.
 */
export class Schedules extends Construct {
  readonly group: scheduler.ScheduleGroup;

  constructor(scope: Construct, id: string, { notifications, stage }: SchedulesProps) {
    super(scope, id);
    this.group = new scheduler.ScheduleGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY });
    // Emitted when it happens only. https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
    const count = (metricName: string) =>
      new Metric({
        namespace: 'AWS/Scheduler',
        metricName,
        dimensionsMap: { ScheduleGroup: this.group.scheduleGroupName },
        statistic: Stats.SUM,
        period: Duration.minutes(5),
      });
    const common = {
      notifications,
      comparison: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      missingData: TreatMissingData.NOT_BREACHING,
      runbook: 'scheduler',
      firstCommand: `aws scheduler list-schedules --group-name ${this.group.scheduleGroupName}`,
    };
    new PipelineAlarm(this, 'Dropped', {
      ...common,
      metric: count('InvocationDroppedCount'),
      breaching: { datapoints: 2, of: 3 },
      condition: 'Scheduler gave up calls of functions in 2 of 3 intervals of 5 min',
      meaning: `It could not call them until the next call was due: polls or summaries of ${stage} do not run.`,
    });
    new PipelineAlarm(this, 'Lost', {
      ...common,
      metric: count('InvocationsFailedToBeSentToDeadLetterCount'),
      breaching: { datapoints: 1, of: 1 },
      condition: 'Scheduler could not put a call that it gave up into the dead-letter queue',
      meaning: 'The call is lost; the next one makes up for it.',
    });
  }
}
