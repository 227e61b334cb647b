import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { PipelineAlarm } from '../monitoring/alarm.ts';
import type { Notifications } from '../monitoring/notifications.ts';
import type { PipelineFunction } from './pipeline-function.ts';

export interface FunctionAlarmsProps {
  readonly notifications: Notifications;
  readonly stage: string;
  readonly function: PipelineFunction;
  /** As a sentence names it: `the poll of bybit`. */
  readonly name: string;
  /** How often it runs; errors are counted by it. At least a minute. */
  readonly interval: Duration;
  /** Whether Lambda queues its events, and puts those that fail into a destination. */
  readonly queued: boolean;
  /** What its failures mean for whoever uses the data; a sentence. */
  readonly meaning: string;
  /** Sections of the runbook. */
  readonly runbook: { readonly errors: string; readonly slow?: string };
  /** @default it may take all the time it has: it leaves off by itself, and the next run goes on */
  readonly timeoutSeconds?: number;
}

/** Of the function's time limit. */
const SLOW_SHARE = 0.8;

/**
 * What can be said of any function. The metrics are Lambda's own, by function name, each minute in which it is called;
 * so missing data means that it was not called, which other alarms are for.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 */
export class FunctionAlarms extends Construct {
  constructor(scope: Construct, id: string, props: FunctionAlarmsProps) {
    super(scope, id);
    const { notifications, stage, name, interval, meaning, runbook, queued, timeoutSeconds } = props;
    const { fn } = props.function;
    const often = interval.toMinutes({ integral: false });
    const common = {
      notifications,
      missingData: TreatMissingData.NOT_BREACHING,
      comparison: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    };
    const logs = `aws logs tail --since 1h --filter-pattern '{ $.level = "ERROR" }' ${fn.logGroup.logGroupName}`;

    new PipelineAlarm(this, 'Errors', {
      ...common,
      metric: fn.metricErrors({ statistic: Stats.SUM, period: interval }),
      threshold: 1,
      breaching: { datapoints: 2, of: 3 },
      condition: `Errors of ${name} in 2 of 3 intervals of ${often} min`,
      meaning,
      firstCommand: logs,
      runbook: runbook.errors,
    });
    new PipelineAlarm(this, 'Throttles', {
      ...common,
      metric: fn.metricThrottles({ statistic: Stats.SUM, period: Duration.minutes(5) }),
      threshold: 1,
      breaching: { datapoints: 2, of: 3 },
      condition: `Lambda refused to start ${name}, in 2 of 3 intervals of 5 min`,
      meaning: 'The account has no concurrency left for it, or it was called while it ran: its work waits.',
      firstCommand: 'aws lambda get-account-settings --query AccountLimit',
      runbook: 'throttles',
    });
    if (queued) {
      new PipelineAlarm(this, 'UndeliveredFailures', {
        ...common,
        metric: fn.metric('DestinationDeliveryFailures', {
          statistic: Stats.SUM,
          period: Duration.minutes(5),
        }),
        threshold: 1,
        breaching: { datapoints: 1, of: 1 },
        condition: `An event that ${name} failed could not be put where failed events go`,
        meaning: 'The event is lost, and nobody can see why it failed; the next one makes up for it.',
        firstCommand: `npm run doctor -- --stage ${stage}`,
        runbook: 'undelivered-failures',
      });
    }
    if (timeoutSeconds !== undefined && runbook.slow !== undefined) {
      new PipelineAlarm(this, 'Slow', {
        ...common,
        metric: fn.metricDuration({ statistic: Stats.percentile(99), period: Duration.minutes(5) }),
        comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
        threshold: SLOW_SHARE * timeoutSeconds * 1_000,
        breaching: { datapoints: 3, of: 3 },
        condition: `p99 of the duration of ${name} above ${SLOW_SHARE * timeoutSeconds} s (80 % of its limit) for 15 min`,
        meaning: 'Soon it is stopped before it is done.',
        firstCommand: `npm run doctor -- --stage ${stage}`,
        runbook: runbook.slow,
      });
    }
  }
}
