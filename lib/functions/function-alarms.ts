import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { type AlarmContext, above, atLeast, doctorCommand, PipelineAlarm } from '../monitoring/alarm.ts';
import type { PipelineFunction } from './pipeline-function.ts';

export interface FunctionAlarmsProps extends AlarmContext {
  readonly function: PipelineFunction;
  /** As it appears in a sentence: `the poll of bybit`. */
  readonly name: string;
  /** How often it runs, at least a minute; the period over which errors are counted. */
  readonly interval: Duration;
  /** Whether Lambda queues its events and sends those that fail to a destination. */
  readonly queued: boolean;
  /** What its failures mean for the people who use the data; a sentence. */
  readonly meaning: string;
  /** Anchors in the runbook. */
  readonly runbook: { readonly errors: string; readonly slow?: string };
  /** @default none: the function may use all its time; it stops by itself and the next run continues */
  readonly timeoutSeconds?: number;
}

/** Of the function's timeout. */
const SLOW_SHARE = 0.8;

/**
 * The alarms that every function has. The metrics are Lambda's own, emitted in each minute with a call; missing data
 * means that the function was not called, which other alarms cover.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 */
export class FunctionAlarms extends Construct {
  constructor(scope: Construct, id: string, props: FunctionAlarmsProps) {
    super(scope, id);
    const { notifications, stage, name, interval, meaning, runbook, queued, timeoutSeconds } = props;
    const { fn } = props.function;
    const period = Duration.minutes(5);

    new PipelineAlarm(this, 'Errors', {
      notifications,
      metric: fn.metricErrors({ statistic: Stats.SUM, period: interval }),
      threshold: atLeast(1),
      breaching: { datapoints: 2, of: 3 },
      condition: `Errors in ${name} in 2 of 3 intervals of ${interval.toMinutes({ integral: false })} min`,
      meaning,
      firstCommand: props.function.errorsCommand,
      runbook: runbook.errors,
    });
    new PipelineAlarm(this, 'Throttles', {
      notifications,
      metric: fn.metricThrottles({ statistic: Stats.SUM, period }),
      threshold: atLeast(1),
      breaching: { datapoints: 2, of: 3 },
      condition: `Lambda refused to start ${name} in 2 of 3 intervals of 5 min`,
      meaning:
        'The account has no concurrency left, or it was called while it was running: its work is delayed.',
      firstCommand: 'aws lambda get-account-settings --query AccountLimit',
      runbook: 'throttles',
    });
    if (queued) {
      new PipelineAlarm(this, 'UndeliveredFailures', {
        notifications,
        metric: fn.metric('DestinationDeliveryFailures', { statistic: Stats.SUM, period }),
        threshold: atLeast(1),
        breaching: { datapoints: 1, of: 1 },
        condition: `A failed event of ${name} could not be delivered to its dead-letter queue`,
        meaning: 'The event is lost, and with it the reason why it failed; the next one makes up for it.',
        firstCommand: doctorCommand(stage),
        runbook: 'undelivered-failures',
      });
    }
    if (timeoutSeconds !== undefined && runbook.slow !== undefined) {
      const slowSeconds = SLOW_SHARE * timeoutSeconds;
      new PipelineAlarm(this, 'Slow', {
        notifications,
        metric: fn.metricDuration({ statistic: Stats.percentile(99), period }),
        threshold: above(slowSeconds * 1_000),
        breaching: { datapoints: 3, of: 3 },
        condition: `p99 duration of ${name} above ${slowSeconds} s (80 % of its timeout) for 15 min`,
        meaning: 'Soon it times out before it is done.',
        firstCommand: doctorCommand(stage),
        runbook: runbook.slow,
      });
    }
  }
}
