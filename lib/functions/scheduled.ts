import { type Duration, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { Notifications } from '../monitoring/notifications.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import type { PipelineFunction } from './pipeline-function.ts';
import type { Schedules } from './schedules.ts';

export interface ScheduledProps {
  readonly function: PipelineFunction;
  readonly schedules: Schedules;
  readonly notifications: Notifications;
  /** What one call does: `a poll of bybit`. */
  readonly description: string;
  /** `cron(…)`, in UTC. */
  readonly expression: string;
  /** Between two of its times; nothing is retried for longer. */
  readonly interval: Duration;
  readonly input: Record<string, unknown>;
}

/** Where the failed events of a scheduled function go; its `failedEvents`. */
export const FAILED_EVENTS_ARE_QUEUED =
  'An event that fails goes to the on-failure destination, a queue: it knows the error, too, unlike a dead-letter queue.';

/**
 * Calls a function on a schedule. Scheduler calls it asynchronously, so its retries and Lambda's stack on top of
 * each other: both end when the next one is due. What was given up lies in the dead-letter queue.
 */
export class Scheduled extends Construct {
  readonly deadLetters: DeadLetterQueue;
  readonly schedule: scheduler.Schedule;

  constructor(scope: Construct, id: string, props: ScheduledProps) {
    super(scope, id);
    const { description, expression, interval, input, notifications } = props;
    this.deadLetters = new DeadLetterQueue(this, 'DeadLetters', { notifications, of: description });
    props.function.fn.configureAsyncInvoke({
      maxEventAge: interval,
      retryAttempts: 1,
      onFailure: new destinations.SqsDestination(this.deadLetters.queue),
    });
    const { account } = Stack.of(this);
    const role = new iam.Role(this, 'Role', {
      // Only schedules of this account may use it (the confused deputy).
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    });
    const fn = props.function.fn.node.defaultChild as CfnFunction;
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(fn)}.Arn>:*]`,
      reason: 'Versions and aliases of the one function that the schedule calls.',
    });
    this.schedule = new scheduler.Schedule(this, 'Schedule', {
      description,
      scheduleGroup: props.schedules.group,
      schedule: scheduler.ScheduleExpression.expression(expression),
      target: new targets.LambdaInvoke(props.function.fn, {
        role,
        input: scheduler.ScheduleTargetInput.fromObject(input),
        maxEventAge: interval,
        retryAttempts: 2,
        deadLetterQueue: this.deadLetters.queue,
      }),
    });
    // It names the group, and does not refer to it.
    this.schedule.node.addDependency(props.schedules.group);
  }
}
