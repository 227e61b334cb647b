import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { LakeConfig } from '../config/stage-config.ts';
import { above, PipelineAlarm } from '../monitoring/alarm.ts';
import type { Notifications } from '../monitoring/notifications.ts';

export interface ReplicaProps {
  readonly notifications: Notifications;
  readonly bucket: s3.Bucket;
  readonly key: IKey;
  readonly to: NonNullable<LakeConfig['replica']>;
}

/** What cannot be recreated. Markers are not copied: a lake elsewhere begins with its own. */
const REPLICATED = ['tickers/', 'candles/', 'state/listings/', 'state/failures/'];

/**
 * Copies what the lake gets into a bucket of another region or account. Deletions are not copied, and the
 * role may not delete, so emptying the lake does not affect the replica.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
 */
export class Replica extends Construct {
  constructor(scope: Construct, id: string, { bucket, key, to, notifications }: ReplicaProps) {
    super(scope, id);
    const there = s3.Bucket.fromBucketArn(this, 'There', to.bucketArn);
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('s3.amazonaws.com'),
      description: 'Copies the lake into its replica',
    });
    const allow = (actions: string[], ...resources: string[]) =>
      role.addToPolicy(new iam.PolicyStatement({ actions, resources }));
    allow(['s3:GetReplicationConfiguration', 's3:ListBucket'], bucket.bucketArn);
    const copied = REPLICATED.map((prefix) => `${prefix}*`);
    allow(
      ['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
      ...copied.map((keys) => bucket.arnForObjects(keys)),
    );
    allow(['s3:ReplicateObject', 's3:ReplicateTags'], ...copied.map((keys) => there.arnForObjects(keys)));
    allow(['kms:Decrypt'], key.keyArn);
    allow(['kms:Encrypt'], to.keyArn);
    const cfnBucket = bucket.node.defaultChild as s3.CfnBucket;
    for (const arn of [`<${Stack.of(this).getLogicalId(cfnBucket)}.Arn>`, to.bucketArn]) {
      for (const keys of copied) {
        Validations.of(role).acknowledge({
          id: `AwsSolutions-IAM5[Resource::${arn}/${keys}]`,
          reason: 'Keys end with times; the role gets the folders that are copied.',
        });
      }
    }
    cfnBucket.replicationConfiguration = {
      role: role.roleArn,
      rules: REPLICATED.map((prefix, priority) => ({
        id: ruleOf(prefix),
        status: 'Enabled',
        priority,
        filter: { prefix },
        deleteMarkerReplication: { status: 'Disabled' },
        sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: 'Enabled' } },
        destination: {
          bucket: to.bucketArn,
          encryptionConfiguration: { replicaKmsKeyId: to.keyArn },
          metrics: { status: 'Enabled' },
        },
      })),
    };
    // Emitted only when it happens, by rule.
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html#s3-cloudwatch-replication-metrics
    new PipelineAlarm(this, 'Failed', {
      notifications,
      metric: new Metric({
        namespace: 'AWS/S3',
        metricName: 'OperationsFailedReplication',
        dimensionsMap: {
          SourceBucket: bucket.bucketName,
          DestinationBucket: there.bucketName,
          RuleId: ruleOf('tickers/'),
        },
        statistic: Stats.SUM,
        period: Duration.minutes(5),
      }),
      threshold: above(0),
      breaching: { datapoints: 1, of: 1 },
      condition: 'Batches could not be copied into the replica of the lake',
      meaning: 'They are in the lake only: without it they would be lost.',
      firstCommand: `aws s3api get-bucket-replication --bucket ${bucket.bucketName}`,
      runbook: 'lake-replica',
    });
  }
}

/** `tickers/` → `tickers`, `state/listings/` → `state-listings` */
function ruleOf(prefix: string): string {
  return prefix.replaceAll('/', '-').replace(/-$/, '');
}
