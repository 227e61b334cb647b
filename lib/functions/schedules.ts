import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { type AlarmContext, addAlarms, atLeast } from '../monitoring/alarm.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';

/**
 * A group for the schedules of a stage: Scheduler's metrics are per group, and the whole account shares the default. And a queue
 * for the events that fail for good, of all but polls.
 */
export class Schedules extends Construct {
  readonly group: scheduler.ScheduleGroup;
  readonly deadLetters: DeadLetterQueue;

  constructor(scope: Construct, id: string, { notifications, stage }: AlarmContext) {
    super(scope, id);
    this.group = new scheduler.ScheduleGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY });
    this.deadLetters = new DeadLetterQueue(this, 'DeadLetters', {
      notifications,
      of: 'a summary, a freshness check, a redrive or a compaction',
    });
    // Emitted only when it happens: https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
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
      threshold: atLeast(1),
      runbook: 'scheduler',
      firstCommand: `aws scheduler list-schedules --group-name ${this.group.scheduleGroupName}`,
    };
    addAlarms(this, common, {
      Dropped: {
        metric: count('InvocationDroppedCount'),
        breaching: { datapoints: 2, of: 3 },
        condition: 'Scheduler dropped function calls in 2 of 3 intervals of 5 min',
        meaning: `It retried until the next call was due, in vain: polls or summaries of ${stage} do not run.`,
      },
      Lost: {
        metric: count('InvocationsFailedToBeSentToDeadLetterCount'),
        breaching: { datapoints: 1, of: 1 },
        condition: 'Scheduler could not deliver a dropped call to the dead-letter queue',
        meaning: 'The call is lost; the next one makes up for it.',
      },
    });
  }
}
