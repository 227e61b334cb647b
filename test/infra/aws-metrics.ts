/** What an AWS service says of itself, from its documentation. */
export interface AwsMetric {
  /** Each set of dimensions by which CloudWatch knows it. */
  dimensions: readonly (readonly string[])[];
  /** The statistics that its documentation calls sensible. */
  statistics: readonly string[];
  /** A count of what happens: it is there when something happened, and one datapoint says all. */
  isEvent?: true;
  /** Of an MSK cluster: the level of monitoring that it begins with. */
  level?: 'PER_BROKER';
  /** Of an MSK cluster: brokers that have it. */
  onlyOn?: 'kafka.t3.';
}

/** Of all of them: seconds between two datapoints. */
export const AWS_METRIC_SECONDS = 60;

const cluster = ['Cluster Name'];
const broker = ['Cluster Name', 'Broker ID'];
const consumer = ['Cluster Name', 'Consumer Group', 'Topic'];
const domain = [['ClientId', 'DomainName']];
const lambdaFunction = [['FunctionName']];
const scheduleGroup = [['ScheduleGroup']];

const most = (dimensions: readonly (readonly string[])[]): AwsMetric => ({
  dimensions,
  statistics: ['Maximum'],
});
const least = (dimensions: readonly (readonly string[])[]): AwsMetric => ({
  dimensions,
  statistics: ['Minimum'],
});
const event = (dimensions: readonly (readonly string[])[]): AwsMetric => ({
  dimensions,
  statistics: ['Sum'],
  isEvent: true,
});

/** By namespace and name: those that our alarms may stand on. */
export const AWS_METRICS: Readonly<Record<string, Readonly<Record<string, AwsMetric>>>> = {
  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
  'AWS/Lambda': {
    Errors: event(lambdaFunction),
    Throttles: event(lambdaFunction),
    DestinationDeliveryFailures: event(lambdaFunction),
    Duration: { dimensions: lambdaFunction, statistics: ['Average', 'Maximum', 'p99'] },
    // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html: of a region.
    ClaimedAccountConcurrency: most([[]]),
  },
  // https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
  'AWS/Scheduler': {
    InvocationDroppedCount: event(scheduleGroup),
    InvocationsFailedToBeSentToDeadLetterCount: event(scheduleGroup),
  },
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
  'AWS/SQS': {
    ApproximateNumberOfMessagesVisible: {
      dimensions: [['QueueName']],
      statistics: ['Maximum'],
      isEvent: true,
    },
  },
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html#s3-request-cloudwatch-metrics
  'AWS/S3': { PutRequests: event([['BucketName', 'FilterId']]) },
  // https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html
  'AWS/ES': {
    'ClusterStatus.red': most(domain),
    'ClusterStatus.yellow': most(domain),
    ClusterIndexWritesBlocked: most(domain),
    FreeStorageSpace: least(domain),
    AutomatedSnapshotFailure: { dimensions: domain, statistics: ['Minimum', 'Maximum'] },
    CPUUtilization: { dimensions: domain, statistics: ['Maximum', 'Average'] },
    JVMMemoryPressure: most(domain),
    OldGenJVMMemoryPressure: most(domain),
    Nodes: { dimensions: domain, statistics: ['Minimum', 'Maximum'] },
    KMSKeyError: { dimensions: domain, statistics: ['Minimum', 'Maximum'], isEvent: true },
    KMSKeyInaccessible: { dimensions: domain, statistics: ['Minimum', 'Maximum'], isEvent: true },
    ThreadpoolWriteQueue: { dimensions: domain, statistics: ['Average', 'Sum'] },
    ThreadpoolWriteRejected: { dimensions: domain, statistics: ['Average', 'Sum'] },
    MasterReachableFromNode: { dimensions: domain, statistics: ['Minimum', 'Maximum'] },
    MasterCPUUtilization: most(domain),
    MasterJVMMemoryPressure: most(domain),
    MasterOldGenJVMMemoryPressure: most(domain),
  },
  // https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html
  'AWS/Kafka': {
    ActiveControllerCount: most([cluster]),
    OfflinePartitionsCount: { dimensions: [cluster], statistics: ['Maximum', 'Sum'] },
    KafkaDataLogsDiskUsed: most([cluster, broker]),
    UnderReplicatedPartitions: { dimensions: [broker], statistics: ['Maximum', 'Sum'] },
    CpuUser: { dimensions: [broker], statistics: ['Average'] },
    CpuSystem: { dimensions: [broker], statistics: ['Average'] },
    CPUCreditBalance: {
      dimensions: [broker],
      statistics: ['Average', 'Minimum', 'Maximum'],
      onlyOn: 'kafka.t3.',
    },
    IAMTooManyConnections: { dimensions: [broker], statistics: ['Sum', 'Maximum'], level: 'PER_BROKER' },
    // https://docs.aws.amazon.com/msk/latest/developerguide/consumer-lag.html
    MaxOffsetLag: most([consumer]),
    EstimatedMaxTimeLag: most([consumer]),
  },
};
