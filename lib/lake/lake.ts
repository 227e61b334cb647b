import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { removalPolicyOf } from '../config/removal.ts';
import type { StageConfig } from '../config/stage-config.ts';

export interface LakeProps {
  readonly config: StageConfig;
  readonly key: IKey;
}

/** The lake's folders, as its layout names them. */
type Folder =
  | 'tickers'
  | 'rejected'
  | 'state'
  | 'candles'
  | 'dead-letters'
  | 'redriven'
  /** What `doctor` writes, reads and deletes. */
  | 'probe'
  /** What setup replaced in Dashboards. */
  | 'backups'
  /** Where Lambda leaves the payload of batches that were given up. */
  | 'aws/lambda';

/** Where Athena leaves its answers, in the lake's bucket. */
export const ATHENA_RESULTS = 'athena-results/';

const ACCESS_LOG_DAYS = 90;

/** Names S3's metrics of what Lambda puts under `aws/lambda/`. */
const GIVEN_UP = 'given-up-batches';

/**
 * The lake: source of truth and outbox.
 *
 * Objects stay in S3 Standard. One poll of one category is an object of 50–150 KB: S3 moves none below 128 KB by
 * default, and forcing it does not pay. A month of one exchange is about 65,000 objects and 4.3 GB (`npm run scale`);
 * moving them to Standard-IA costs $0.65 and then saves $0.05 a month at most (less, as each counts for at least 128 KB),
 * to Glacier Instant Retrieval $1.30 for $0.08 a month: more than a year to break even, and every rebuild from the lake
 * pays for reading. (List prices of us-east-1.)
 */
export class Lake extends Construct {
  readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string, { config, key }: LakeProps) {
    super(scope, id);
    const removalPolicy = removalPolicyOf(config);
    const common = {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy,
      autoDeleteObjects: config.dataOnRemoval === 'destroy',
    };
    const accessLogs = new s3.Bucket(this, 'AccessLogs', {
      ...common,
      // S3 delivers access logs to no other kind of encryption.
      encryption: s3.BucketEncryption.S3_MANAGED,
      versioned: true,
      lifecycleRules: [
        {
          expiration: Duration.days(ACCESS_LOG_DAYS),
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
    });
    Validations.of(accessLogs).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'This is the bucket of the access logs; logging its own deliveries would never end.',
    });
    this.bucket = new s3.Bucket(this, 'Bucket', {
      ...common,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: key,
      // One request to KMS for many objects.
      bucketKeyEnabled: true,
      versioned: true,
      // CDK's own types disagree under exactOptionalPropertyTypes.
      serverAccessLogsBucket: accessLogs as s3.IBucket,
      serverAccessLogsPrefix: 'lake/',
      metrics: [{ id: GIVEN_UP, prefix: 'aws/lambda/' }],
      lifecycleRules: [
        {
          id: 'leftovers',
          abortIncompleteMultipartUploadAfter: Duration.days(1),
          noncurrentVersionExpiration: Duration.days(config.retention.oldVersionDays),
          expiredObjectDeleteMarker: true,
        },
        { id: 'athena-results', prefix: ATHENA_RESULTS, expiration: Duration.days(7) },
      ],
    });
  }

  /** Lets a function read the objects of some folders, and list the lake. */
  grantRead(role: iam.Role, ...folders: Folder[]): void {
    this.#grant(role, 's3:GetObject', folders);
    iam.Grant.addToPrincipal({
      grantee: role,
      actions: ['s3:ListBucket'],
      resourceArns: [this.bucket.bucketArn],
    });
    this.bucket.encryptionKey?.grantDecrypt(role);
  }

  grantPut(role: iam.Role, ...folders: Folder[]): void {
    this.#grant(role, 's3:PutObject', folders);
    this.bucket.encryptionKey?.grant(role, 'kms:GenerateDataKey', 'kms:Decrypt');
  }

  grantDelete(role: iam.Role, ...folders: Folder[]): void {
    this.#grant(role, 's3:DeleteObject', folders);
  }

  /**
   * How many batches Lambda gave up. It says so itself for pollers with metrics of their own only; that an object is
   * put is seen with any. Emitted by the minute in which it happens.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html#s3-request-cloudwatch-metrics
   */
  putsOfGivenUpBatches(period: Duration): Metric {
    return new Metric({
      namespace: 'AWS/S3',
      metricName: 'PutRequests',
      dimensionsMap: { BucketName: this.bucket.bucketName, FilterId: GIVEN_UP },
      statistic: Stats.SUM,
      period,
    });
  }

  #grant(role: iam.Role, action: string, folders: readonly Folder[]): void {
    for (const folder of folders) {
      iam.Grant.addToPrincipal({
        grantee: role,
        actions: [action],
        resourceArns: [this.bucket.arnForObjects(`${folder}/*`)],
      });
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::${this.#exportedArn()}/${folder}/*]`,
        reason: `The keys of ${folder}/ are made of exchanges and times; a function gets this folder, not the bucket.`,
      });
    }
  }

  /** As a finding names the bucket: by the export through which the other stacks know it. */
  #exportedArn(): string {
    const stack = Stack.of(this);
    return stack.resolve(stack.exportValue(this.bucket.bucketArn))['Fn::ImportValue'];
  }
}
