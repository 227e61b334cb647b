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

export interface ScheduleProps {
  /** What a call does: `a poll of bybit`. */
  readonly description: string;
  /** `cron(…)`, in UTC. */
  readonly expression: string;
  /** Scheduler calls it at any time within this after the scheduled one. @default within the minute */
  readonly window?: Duration;
  /** The time between two calls; retries end after it. */
  readonly interval: Duration;
  readonly input: Record<string, unknown>;
}

export interface ScheduledProps extends ScheduleProps, Pick<ScheduledContext, 'schedules'> {
  readonly function: PipelineFunction;
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
  readonly #called: Pick<ScheduledProps, 'function' | 'schedules'>;
  readonly #queue: DeadLetterQueue['queue'];
  readonly #role: iam.Role;

  constructor(scope: Construct, id: string, props: ScheduledProps) {
    super(scope, id);
    const { interval, schedules } = props;
    this.#called = props;
    this.#queue = (props.deadLetters ?? schedules.deadLetters).queue;
    props.function.fn.configureAsyncInvoke({
      maxEventAge: interval,
      retryAttempts: 1,
      onFailure: new destinations.SqsDestination(this.#queue),
    });
    const { group } = schedules;
    this.#role = new iam.Role(this, 'Role', {
      // Scheduler names the group, not the schedule, as the source.
      assumedBy: serviceForThisAccount(this, 'scheduler.amazonaws.com', group.scheduleGroupArn),
    });
    const fn = props.function.fn.node.defaultChild as CfnFunction;
    Validations.of(this.#role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(fn)}.Arn>:*]`,
      reason: 'Versions and aliases of the function that the schedule calls.',
    });
    this.schedule = this.alsoCall('Schedule', props);
  }

  /** Another schedule of the same function; its retries end after the interval of the first. */
  alsoCall(
    id: string,
    { description, expression, window, interval, input }: ScheduleProps,
  ): scheduler.Schedule {
    const { group } = this.#called.schedules;
    const schedule = new scheduler.Schedule(this, id, {
      description,
      scheduleGroup: group,
      schedule: scheduler.ScheduleExpression.expression(expression),
      ...(window ? { timeWindow: scheduler.TimeWindow.flexible(window) } : {}),
      target: new targets.LambdaInvoke(this.#called.function.fn, {
        role: this.#role,
        input: scheduler.ScheduleTargetInput.fromObject(input),
        maxEventAge: interval,
        retryAttempts: 2,
        deadLetterQueue: this.#queue,
      }),
    });
    // The schedule names its group without referring to it.
    schedule.node.addDependency(group);
    return schedule;
  }
}
