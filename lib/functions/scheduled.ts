import { type Duration, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { AlarmContext } from '../monitoring/alarm.ts';
import { serviceForThisAccount } from '../trust/service-for-this-account.ts';
import type { DeadLetterQueue } from './dead-letter-queue.ts';
import type { PipelineFunction, SizedFunctionContext } from './pipeline-function.ts';
import type { Schedules } from './schedules.ts';

/** What the constructs around a scheduled function share. */
export interface ScheduledContext extends SizedFunctionContext, AlarmContext {
  readonly schedules: Schedules;
}

export interface ScheduledProps extends Pick<ScheduledContext, 'schedules'> {
  readonly function: PipelineFunction;
  /** What a call does: `a poll of bybit`. */
  readonly description: string;
  /** `cron(…)`, in UTC. */
  readonly expression: string;
  /** Scheduler calls it at any time within this after the scheduled one. @default within the minute */
  readonly window?: Duration;
  /** The time between two calls; retries end after it. */
  readonly interval: Duration;
  readonly input: Record<string, unknown>;
  /** @default that of the stage */
  readonly deadLetters?: DeadLetterQueue;
}

/** The `failedEvents` of a scheduled function. */
export const FAILED_EVENTS_ARE_QUEUED =
  'Failed events go to the on-failure destination, a queue; unlike a Lambda dead-letter queue it also gets the error.';

/**
 * Calls a function on a schedule. Scheduler calls it asynchronously, so its retries and Lambda's add up; both end when
 * the next call is due. Events that failed for good go to the dead-letter queue.
 */
export class Scheduled extends Construct {
  readonly schedule: scheduler.Schedule;

  constructor(scope: Construct, id: string, props: ScheduledProps) {
    super(scope, id);
    const { description, expression, window, interval, input, schedules } = props;
    const { queue } = props.deadLetters ?? schedules.deadLetters;
    props.function.fn.configureAsyncInvoke({
      maxEventAge: interval,
      retryAttempts: 1,
      onFailure: new destinations.SqsDestination(queue),
    });
    const { group } = schedules;
    const role = new iam.Role(this, 'Role', {
      // Scheduler names the group, not the schedule, as the source.
      assumedBy: serviceForThisAccount(this, 'scheduler.amazonaws.com', group.scheduleGroupArn),
    });
    const fn = props.function.fn.node.defaultChild as CfnFunction;
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(fn)}.Arn>:*]`,
      reason: 'Versions and aliases of the function that the schedule calls.',
    });
    this.schedule = new scheduler.Schedule(this, 'Schedule', {
      description,
      scheduleGroup: group,
      schedule: scheduler.ScheduleExpression.expression(expression),
      ...(window ? { timeWindow: scheduler.TimeWindow.flexible(window) } : {}),
      target: new targets.LambdaInvoke(props.function.fn, {
        role,
        input: scheduler.ScheduleTargetInput.fromObject(input),
        maxEventAge: interval,
        retryAttempts: 2,
        deadLetterQueue: queue,
      }),
    });
    // The schedule names its group without referring to it.
    this.schedule.node.addDependency(group);
  }
}
