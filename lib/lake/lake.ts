import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { LogGroupProps } from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { readByPolls, writtenByPolls } from '../../core/lake/poll-objects.ts';
import { tickersPrefix } from '../../core/lake/ticker-objects.ts';
import type { LakeConfig, PolledSource } from '../config/stage-config.ts';
import { configureProvider } from '../trust/cdk-provider.ts';
import { type EMPTIED_FOLDERS, keepAppendOnly } from './append-only.ts';

export interface LakeProps extends LakeConfig {
  readonly key: IKey;
  readonly logs: LogGroupProps;
  readonly removalPolicy: RemovalPolicy;
  readonly retention: {
    /** How long replaced and deleted object versions are kept. */
    readonly oldVersionDays: number;
    /** How long rejected tickers and dead letters are kept. */
    readonly rejectedDays: number;
  };
}

/** The top-level folders of the lake. */
type Folder =
  | 'tickers'
  | 'rejected'
  | 'state'
  | 'candles'
  /** Parquet, made from the others. */
  | 'columns'
  | 'dead-letters'
  | 'redriven'
  /** What `doctor` writes, reads and deletes. */
  | 'probe'
  /** What setup has replaced in Dashboards. */
  | 'backups'
  /** The payloads of batches that Lambda gave up on. */
  | 'aws/lambda';

/** Folders with what could not be used, for somebody to look into. */
const REJECTED: readonly Folder[] = ['rejected', 'dead-letters'];

/** Athena's results, in the lake's bucket. */
export const ATHENA_RESULTS = 'athena-results/';

const ACCESS_LOG_DAYS = 90;

/** The name of S3's request metrics for `aws/lambda/`. */
const GIVEN_UP = 'given-up-batches';

/**
 * The lake: source of truth and outbox.
 *
 * Objects stay in S3 Standard, unless `coldAfterDays` moves those that are large enough. One poll of one category is an object of 50–150 KB; S3 does not transition objects below
 * 128 KB by default, and forcing it does not pay. A month of one exchange is about 65,000 objects and 4.3 GB
 * (`npm run scale`). Moving them to Standard-IA costs $0.65 and then saves at most $0.05 a month (less, as each is billed
 * as at least 128 KB); Glacier Instant Retrieval costs $1.30 and saves $0.08 a month. Either takes over a year to break
 * even, and then every rebuild from the lake pays for retrieval. (List prices of us-east-1.)
 */
export class Lake extends Construct {
  readonly bucket: s3.Bucket;
  /** How long a batch is locked. */
  readonly lockDays: number | undefined;

  constructor(scope: Construct, id: string, props: LakeProps) {
    super(scope, id);
    const { key, logs, removalPolicy, retention } = props;
    this.lockDays = props.lockDays;
    const common = {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy,
      autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY,
    };
    const accessLogs = new s3.Bucket(this, 'AccessLogs', {
      ...common,
      // The only encryption that S3 supports for access logs.
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
    const reason = 'This bucket holds the access logs; logging its own deliveries would never end.';
    Validations.of(accessLogs).acknowledge({ id: 'AwsSolutions-S1', reason }, { id: 'CKV_AWS_18', reason });
    this.bucket = new s3.Bucket(this, 'Bucket', {
      ...common,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: key,
      // One KMS request serves many objects.
      bucketKeyEnabled: true,
      versioned: true,
      ...(props.lockDays === undefined ? {} : { objectLockEnabled: true }),
      // CDK's own types disagree under exactOptionalPropertyTypes.
      serverAccessLogsBucket: accessLogs as s3.IBucket,
      serverAccessLogsPrefix: 'lake/',
      metrics: [{ id: GIVEN_UP, prefix: 'aws/lambda/' }],
      lifecycleRules: [
        {
          id: 'leftovers',
          abortIncompleteMultipartUploadAfter: Duration.days(1),
          noncurrentVersionExpiration: Duration.days(retention.oldVersionDays),
          expiredObjectDeleteMarker: true,
        },
        // An exchange decides how much of it there is.
        ...REJECTED.map((folder) => ({
          id: folder,
          prefix: `${folder}/`,
          expiration: Duration.days(retention.rejectedDays),
        })),
        { id: 'athena-results', prefix: ATHENA_RESULTS, expiration: Duration.days(7) },
        ...(props.coldAfterDays === undefined ? [] : [coldBatches(props.coldAfterDays)]),
      ],
    });
    keepAppendOnly(this.bucket, props);
    if (common.autoDeleteObjects) configureProvider(this, 'EmptierLogs', 'Custom::S3AutoDeleteObjects', logs);
  }

  /** Lets a function poll a source: it writes the objects of that source's markets, and nothing of another's. */
  grantPolls(role: iam.Role, { name, exchange, categories }: PolledSource): void {
    const markets = categories.map((category) => ({ exchange, category }));
    this.#grantRead(role, [...new Set(markets.flatMap((market) => readByPolls(market, name)))]);
    this.#grantPut(role, markets.flatMap(writtenByPolls));
    if (this.lockDays !== undefined) {
      const batches = markets.map((market) => `${tickersPrefix(market.exchange, market.category)}*`);
      this.#grant(role, 's3:PutObjectRetention', batches);
    }
  }

  /** Lets a function read and list the objects in some folders. */
  grantRead(role: iam.Role, ...folders: Folder[]): void {
    this.#grantRead(role, folders.map(everythingIn));
  }

  grantPut(role: iam.Role, ...folders: Folder[]): void {
    this.#grantPut(role, folders.map(everythingIn));
  }

  grantDelete(role: iam.Role, ...folders: (typeof EMPTIED_FOLDERS)[number][]): void {
    this.#grant(role, 's3:DeleteObject', folders.map(everythingIn));
  }

  /**
   * The number of batches that Lambda gave up on, counted as objects put by S3: Lambda's own metric exists only for
   * pollers with metrics enabled. Emitted in each minute with a put.
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

  /**
   * S3 answers that an object does not exist (404) only to those who may list a prefix of its key; others get 403. It
   * takes the key itself for the prefix.
   */
  #grantRead(role: iam.Role, keys: readonly string[]): void {
    this.#grant(role, 's3:GetObject', keys);
    iam.Grant.addToPrincipal({
      grantee: role,
      actions: ['s3:ListBucket'],
      resourceArns: [this.bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': keys } },
    });
    this.bucket.encryptionKey?.grantDecrypt(role);
  }

  #grantPut(role: iam.Role, keys: readonly string[]): void {
    this.#grant(role, 's3:PutObject', keys);
    this.bucket.encryptionKey?.grant(role, 'kms:GenerateDataKey', 'kms:Decrypt');
  }

  /** @param keys may end with `*` */
  #grant(role: iam.Role, action: string, keys: readonly string[]): void {
    iam.Grant.addToPrincipal({
      grantee: role,
      actions: [action],
      resourceArns: keys.map((key) => this.bucket.arnForObjects(key)),
    });
    for (const key of keys.filter((each) => each.endsWith('*'))) {
      Validations.of(role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::${this.#exportedArn()}/${key}]`,
        reason: 'Keys end with times; the function gets its own folders, not the bucket.',
      });
    }
  }

  /** The bucket as findings name it: by the export that other stacks refer to. */
  #exportedArn(): string {
    const stack = Stack.of(this);
    return stack.resolve(stack.exportValue(this.bucket.bucketArn))['Fn::ImportValue'];
  }
}

/** S3 moves no object below 128 KB by itself: those would cost more to move than they save. */
function coldBatches(days: number): s3.LifecycleRule {
  const { GLACIER_INSTANT_RETRIEVAL: storageClass } = s3.StorageClass;
  return {
    id: 'cold-batches',
    prefix: 'tickers/',
    transitions: [{ storageClass, transitionAfter: Duration.days(days) }],
  };
}

function everythingIn(folder: Folder): string {
  return `${folder}/*`;
}
