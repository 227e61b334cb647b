import { Duration, Validations } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { above, PipelineAlarm } from '../monitoring/alarm.ts';
import type { Notifications } from '../monitoring/notifications.ts';

export interface DeadLetterQueueProps {
  readonly notifications: Notifications;
  /** What an event was meant to trigger: `a poll of bybit`. */
  readonly of: string;
}

/** Keeps failed events for two weeks, long enough for someone to come back from leave. */
export class DeadLetterQueue extends Construct {
  readonly queue: sqs.Queue;

  constructor(scope: Construct, id: string, { notifications, of }: DeadLetterQueueProps) {
    super(scope, id);
    this.queue = new sqs.Queue(this, 'Queue', {
      enforceSSL: true,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      retentionPeriod: Duration.days(14),
    });
    const reason = 'It is the dead-letter queue itself.';
    Validations.of(this.queue).acknowledge(
      { id: 'AwsSolutions-SQS3', reason },
      { id: 'Serverless-SQSRedrivePolicy', reason },
      {
        id: 'CKV_AWS_27',
        reason:
          'SQS encrypts it with its own key. With a key of KMS everything that sends failed events here would have to be allowed to use the key.',
      },
    );
    // Emitted every minute while the queue has a message.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    new PipelineAlarm(this, 'NotEmpty', {
      notifications,
      metric: this.queue.metricApproximateNumberOfMessagesVisible({
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      threshold: above(0),
      breaching: { datapoints: 1, of: 1 },
      condition: `An event for ${of} failed for good`,
      meaning: 'The next event makes up for it; the message in the queue says why it failed.',
      firstCommand: `aws sqs receive-message --message-attribute-names All --queue-url ${this.queue.queueUrl}`,
      runbook: 'dead-letter-queue',
    });
  }
}
