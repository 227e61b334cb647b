import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { above, PipelineAlarm } from '../monitoring/alarm.ts';
import type { Notifications } from '../monitoring/notifications.ts';

export interface AccountConcurrencyProps {
  readonly notifications: Notifications;
  /** The account's quota of concurrent executions. */
  readonly quota: number;
}

const HIGH_SHARE = 0.8;

/**
 * Warns before Lambda throttles the account's functions. The metric is regional and has no dimensions.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html#claimed-account-concurrency
 */
export class AccountConcurrency extends Construct {
  constructor(scope: Construct, id: string, { notifications, quota }: AccountConcurrencyProps) {
    super(scope, id);
    new PipelineAlarm(this, 'High', {
      notifications,
      metric: new Metric({
        namespace: 'AWS/Lambda',
        metricName: 'ClaimedAccountConcurrency',
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      threshold: above(HIGH_SHARE * quota),
      breaching: { datapoints: 3, of: 3 },
      condition: `More than ${HIGH_SHARE * quota} of the account's ${quota} concurrent executions claimed for 15 min`,
      meaning: 'Soon Lambda throttles functions of this account, no matter whose.',
      firstCommand: 'aws lambda get-account-settings --query AccountLimit',
      runbook: 'account-concurrency',
    });
  }
}
