/** A row of a table in AWS's documentation. */
export interface AwsMetric {
  /** The one set of dimensions by which CloudWatch publishes it, as the table writes it. */
  dimensions: string;
  /** The page with the table. */
  page: string;
  /** The statistics that are meaningful. */
  statistics: readonly string[];
  /** A count of events: published only when something happened, so a single datapoint is enough. */
  isEvent?: true;
  /** The lowest monitoring level of an MSK cluster that publishes it. */
  level?: 'PER_BROKER';
  /** The brokers that publish it. */
  onlyOn?: 'kafka.t3.';
}

/** Of all of them: seconds between two datapoints. */
export const AWS_METRIC_SECONDS = 60;

type Row = readonly [
  name: string,
  statistics: string,
  extra?: Pick<AwsMetric, 'isEvent' | 'level' | 'onlyOn'>,
];

function table(page: string, dimensions: string, rows: readonly Row[]): Record<string, AwsMetric> {
  return Object.fromEntries(
    rows.map(([name, statistics, extra]) => [
      name,
      { dimensions, page, statistics: statistics.split(', '), ...extra },
    ]),
  );
}

const event = { isEvent: true } as const;
const MSK = 'https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html';
const S3 = 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html';
const OPENSEARCH =
  'https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html';

/**
 * By namespace and name: what alarms and dashboards may use. Names and dimensions are copied from AWS's tables; where a
 * table lists a metric twice, the set is the narrower one, which is always published.
 */
export const AWS_METRICS: Readonly<Record<string, Readonly<Record<string, AwsMetric>>>> = {
  'AWS/Lambda': {
    ...table('https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html', 'FunctionName', [
      ['Errors', 'Sum', event],
      ['Throttles', 'Sum', event],
      ['DestinationDeliveryFailures', 'Sum', event],
      ['Duration', 'Average, Maximum, p99'],
    ]),
    // Of the whole region.
    ...table('https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html', '', [
      ['ClaimedAccountConcurrency', 'Maximum'],
    ]),
  },
  'AWS/Scheduler': table(
    'https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html',
    'ScheduleGroup',
    [
      ['InvocationDroppedCount', 'Sum', event],
      ['InvocationsFailedToBeSentToDeadLetterCount', 'Sum', event],
    ],
  ),
  'AWS/SQS': table(
    'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html',
    'QueueName',
    [['ApproximateNumberOfMessagesVisible', 'Maximum', event]],
  ),
  'AWS/S3': {
    ...table(S3, 'BucketName, FilterId', [['PutRequests', 'Sum', event]]),
    ...table(S3, 'SourceBucket, DestinationBucket, RuleId', [['OperationsFailedReplication', 'Sum', event]]),
  },
  // Made of a trail's events by metric filters.
  'crypto-market-insights-dev-trail': table('', '', [
    ['MasterSecretReads', 'Sum', event],
    ['LakeDeletions', 'Sum', event],
  ]),
  'AWS/ES': table(OPENSEARCH, 'ClientId, DomainName', [
    ['ClusterStatus.red', 'Maximum'],
    ['ClusterStatus.yellow', 'Maximum'],
    ['ClusterIndexWritesBlocked', 'Maximum'],
    ['FreeStorageSpace', 'Minimum'],
    ['AutomatedSnapshotFailure', 'Minimum, Maximum'],
    ['CPUUtilization', 'Maximum, Average'],
    ['JVMMemoryPressure', 'Maximum'],
    ['OldGenJVMMemoryPressure', 'Maximum'],
    ['Nodes', 'Minimum, Maximum'],
    ['KMSKeyError', 'Minimum, Maximum', event],
    ['KMSKeyInaccessible', 'Minimum, Maximum', event],
    ['ThreadpoolWriteQueue', 'Average, Sum'],
    ['ThreadpoolWriteRejected', 'Average, Sum'],
    ['MasterReachableFromNode', 'Minimum, Maximum'],
    ['MasterCPUUtilization', 'Maximum'],
    ['MasterJVMMemoryPressure', 'Maximum'],
    ['MasterOldGenJVMMemoryPressure', 'Maximum'],
  ]),
  'AWS/Kafka': {
    ...table(MSK, 'Cluster Name', [
      ['ActiveControllerCount', 'Maximum'],
      ['OfflinePartitionsCount', 'Maximum, Sum'],
    ]),
    ...table(MSK, 'Cluster Name, Broker ID', [
      ['KafkaDataLogsDiskUsed', 'Maximum, Average'],
      ['UnderMinIsrPartitionCount', 'Maximum, Sum'],
      ['UnderReplicatedPartitions', 'Maximum, Sum'],
      ['CpuUser', 'Average'],
      ['CpuSystem', 'Average'],
      ['CPUCreditBalance', 'Average, Minimum, Maximum', { onlyOn: 'kafka.t3.' }],
      ['IAMTooManyConnections', 'Sum, Maximum', { level: 'PER_BROKER' }],
    ]),
    // The page leaves out `Cluster Name`: see `Stream.lag`.
    ...table(
      'https://docs.aws.amazon.com/msk/latest/developerguide/consumer-lag.html',
      'Cluster Name, Consumer Group, Topic',
      [
        ['MaxOffsetLag', 'Maximum'],
        ['SumOffsetLag', 'Maximum'],
        ['EstimatedMaxTimeLag', 'Maximum'],
      ],
    ),
  },
};
