import { Duration, Validations } from 'aws-cdk-lib';
import { ComparisonOperator, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { PipelineAlarm } from '../monitoring/alarm.ts';
import type { Notifications } from '../monitoring/notifications.ts';

export interface DeadLetterQueueProps {
  readonly notifications: Notifications;
  /** What the events would have done: `a poll of bybit`. */
  readonly of: string;
}

/** Where events lie that were given up, for two weeks: long enough for a person to come back from leave. */
export class DeadLetterQueue extends Construct {
  readonly queue: sqs.Queue;

  constructor(scope: Construct, id: string, { notifications, of }: DeadLetterQueueProps) {
    super(scope, id);
    this.queue = new sqs.Queue(this, 'Queue', {
      enforceSSL: true,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.queue).acknowledge(
      { id: 'AwsSolutions-SQS3', reason: 'It is the dead-letter queue itself.' },
      { id: 'Serverless-SQSRedrivePolicy', reason: 'It is the dead-letter queue itself.' },
    );
    // By queue name, each minute while a message lies in it.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    new PipelineAlarm(this, 'NotEmpty', {
      notifications,
      metric: this.queue.metricApproximateNumberOfMessagesVisible({
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: 0,
      breaching: { datapoints: 1, of: 1 },
      missingData: TreatMissingData.NOT_BREACHING,
      condition: `An event was given up that should have done ${of}`,
      meaning: 'What it should have done, the next event does; the message says why it failed.',
      firstCommand: `aws sqs receive-message --message-attribute-names All --queue-url ${this.queue.queueUrl}`,
      runbook: 'dead-letter-queue',
    });
  }
}
