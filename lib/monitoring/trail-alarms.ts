import { Duration, Stack } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { FilterPattern, type IFilterPattern, LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { type AlarmContext, above, addAlarms, atLeast } from './alarm.ts';

export interface TrailAlarmsProps extends AlarmContext {
  /** Of the account's CloudTrail trail, which records the data events of the lake's bucket. */
  readonly trailLogGroup: string;
  readonly masterSecret: Secret;
  /** The only function that reads the secret. */
  readonly setupRole: iam.Role;
  readonly lake: Bucket;
}

/** The pipeline never deletes any of these. */
const HISTORY = ['tickers/*', 'state/*', 'rejected/*'];
const MANY_DELETIONS = 10;

/**
 * Alarms on what a thief would do, if the account's trail shows it: read the admin password, empty the lake.
 */
export class TrailAlarms extends Construct {
  readonly #trail;
  readonly #namespace: string;

  constructor(scope: Construct, id: string, props: TrailAlarmsProps) {
    super(scope, id);
    const { trailLogGroup, masterSecret, setupRole, lake, notifications, stage } = props;
    this.#trail = LogGroup.fromLogGroupName(this, 'Trail', trailLogGroup);
    this.#namespace = `crypto-market-insights-${stage}-trail`;
    const { partition, region, account } = Stack.of(this);
    const secretArn = `arn:${partition}:secretsmanager:${region}:${account}:secret:${masterSecret.secretName}`;
    const period = Duration.minutes(5);
    const common = {
      notifications,
      breaching: { datapoints: 1, of: 1 },
      firstCommand: `aws logs tail ${trailLogGroup} --since 1h --filter-pattern GetSecretValue`,
    };
    addAlarms(this, common, {
      MasterSecretRead: {
        metric: this.#count('MasterSecretReads', period, [
          '($.eventName = "GetSecretValue")',
          `(($.requestParameters.secretId = "${secretArn}*") || ($.requestParameters.secretId = "${masterSecret.secretName}*"))`,
          differsFrom('$.userIdentity.sessionContext.sessionIssuer.arn', setupRole.roleArn),
          differsFrom('$.userIdentity.invokedBy', 'cloudformation.amazonaws.com'),
        ]),
        threshold: atLeast(1),
        condition: 'Somebody read the password of the OpenSearch admin user',
        meaning:
          'Only setup and CloudFormation are meant to; with it, anything in OpenSearch can be changed.',
        runbook: 'master-secret-read',
      },
      LakeDeletions: {
        metric: this.#count('LakeDeletions', period, [
          '($.eventSource = "s3.amazonaws.com")',
          `($.requestParameters.bucketName = "${lake.bucketName}")`,
          `(($.eventName = "DeleteObjects") || (($.eventName = "DeleteObject") && (${HISTORY.map((key) => `($.requestParameters.key = "${key}")`).join(' || ')})))`,
        ]),
        threshold: above(MANY_DELETIONS),
        firstCommand: `aws logs tail ${trailLogGroup} --since 1h --filter-pattern DeleteObject`,
        condition: `More than ${MANY_DELETIONS} deletions from the lake’s history in 5 min`,
        meaning: 'No function deletes any of it. Old versions are kept for days only.',
        runbook: 'lake-deletions',
      },
    });
  }

  /** The trail's events that meet all conditions. */
  #count(metricName: string, period: Duration, conditions: readonly string[]): Metric {
    const filterPattern: IFilterPattern = FilterPattern.literal(`{ ${conditions.join(' && ')} }`);
    new MetricFilter(this, `${metricName}Filter`, {
      logGroup: this.#trail,
      filterPattern,
      metricNamespace: this.#namespace,
      metricName,
      metricValue: '1',
    });
    return new Metric({ namespace: this.#namespace, metricName, statistic: Stats.SUM, period });
  }
}

/** Also true of an event without the field. */
function differsFrom(field: string, value: string): string {
  return `((${field} NOT EXISTS) || (${field} != "${value}"))`;
}
