import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { MetricName } from '../../core/runtime/metrics.ts';
import type { StageConfig } from '../config/stage-config.ts';
import { FunctionAlarms } from '../functions/function-alarms.ts';
import { PipelineFunction, type SizedFunctionContext } from '../functions/pipeline-function.ts';
import type { Lake } from '../lake/lake.ts';
import { type AlarmContext, above, addAlarms, doctorCommand } from '../monitoring/alarm.ts';
import { ownMetric } from '../monitoring/metrics.ts';
import type { Search } from '../search/domain.ts';
import type { Stream } from '../stream/stream.ts';

export interface IndexerProps extends SizedFunctionContext, AlarmContext {
  readonly polling: StageConfig['index'];
  readonly lake: Lake;
  readonly stream: Stream;
  readonly search: Search;
}

/** Lambda's maximum; an event's 6 MB are reached first, at about 5,700 tickers. */
const BATCH_RECORDS = 10_000;

/**
 * Lambda's maximum, so that the age of the records decides. It has to be explicit: with an on-failure destination Lambda
 * stops unlimited retries after ten, about 20 minutes of an outage.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
 */
const MAX_RETRIES = 10_000;

/** In one partition: about four full events, or a dozen polls. */
const HIGH_LAG_RECORDS = 20_000;
/** From produced to indexed; the batch window and retries need two or three minutes. */
const LATE_MINUTES = 10;

/** Moves the stream into OpenSearch: the event source mapping and its function. */
export class Indexer extends Construct {
  readonly function: PipelineFunction;
  readonly mapping: lambda.CfnEventSourceMapping;

  constructor(scope: Construct, id: string, props: IndexerProps) {
    super(scope, id);
    const { polling, lake, stream, search, notifications, ...context } = props;
    const { provisioned, minimumPollers, maximumPollers, batchWindowSeconds, maxRecordAgeHours } = polling;

    this.function = new PipelineFunction(this, 'Function', {
      ...context,
      folder: 'index',
      description: 'Indexes tickers from the stream',
      environment: {
        ...search.environment,
        LAKE_BUCKET: lake.bucket.bucketName,
        // Only with provisioned pollers: otherwise Lambda would treat a partial response as success.
        PARTIAL_BATCH_RESPONSE: String(provisioned),
      },
      failedEvents:
        'The event source mapping waits for each call: a failed batch is retried, or goes to the mapping’s on-failure destination.',
      calledAtOnce: 'Lambda’s pollers call it, once at a time for each partition of the topic.',
      clients: [search.clients],
    });
    const { fn, role } = this.function;
    lake.grantPut(role, 'dead-letters', 'aws/lambda');
    stream.grantConsume(role);
    // Lambda describes the cluster before it polls …
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['kafka:DescribeCluster', 'kafka:DescribeClusterV2'],
        resources: [stream.clusterArn],
      }),
    );
    // … and the brokers' network, which accepts no narrower resource.
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['ec2:DescribeSecurityGroups', 'ec2:DescribeVpcs'],
        resources: ['*'],
      }),
    );
    // Lambda checks that the bucket of the on-failure destination exists.
    role.addToPolicy(
      new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: [lake.bucket.bucketArn] }),
    );

    // L1, because CDK's Kafka event source would attach AWS's managed policy, which allows more than needed.
    this.mapping = new lambda.CfnEventSourceMapping(this, 'Mapping', {
      functionName: fn.functionArn,
      eventSourceArn: stream.clusterArn,
      topics: [stream.topicName],
      amazonManagedKafkaEventSourceConfig: { consumerGroupId: stream.consumerGroup },
      startingPosition: 'TRIM_HORIZON',
      batchSize: BATCH_RECORDS,
      maximumBatchingWindowInSeconds: batchWindowSeconds,
      // An S3 object holds the whole payload; a queue message would not.
      destinationConfig: { onFailure: { destination: lake.bucket.bucketArn } },
      ...(provisioned
        ? {
            provisionedPollerConfig: { minimumPollers, maximumPollers },
            bisectBatchOnFunctionError: true,
            functionResponseTypes: ['ReportBatchItemFailures'],
            maximumRetryAttempts: MAX_RETRIES,
            maximumRecordAgeInSeconds: Duration.hours(maxRecordAgeHours).toSeconds(),
          }
        : {}),
    });
    // Lambda tests the role when it creates the mapping.
    this.mapping.node.addDependency(role);

    new FunctionAlarms(this, 'Alarms', {
      notifications,
      stage: context.stage,
      function: this.function,
      name: 'the index function',
      interval: Duration.minutes(5),
      queued: false,
      meaning: 'Batches fail and are retried: new prices reach OpenSearch late, none are lost.',
      runbook: { errors: 'index-errors', slow: 'slow-index' },
      timeoutSeconds: context.size.timeoutSeconds,
    });
    this.#alarms(props);
  }

  #alarms({ stage, lake, stream, notifications }: IndexerProps): void {
    const period = Duration.minutes(5);
    const metric = (name: MetricName<'index'>, statistic: string) =>
      ownMetric('index', stage, {}, name, { statistic, period });
    const redrive = `npm run redrive -- --dry-run --stage ${stage}`;

    const lagging = {
      breaching: { datapoints: 3, of: 3 },
      meaning: 'New prices reach OpenSearch late; Kafka keeps them for days.',
      runbook: 'consumer-lag',
    };
    const common = {
      notifications,
      threshold: above(0),
      breaching: { datapoints: 1, of: 1 },
      firstCommand: doctorCommand(stage),
    };
    addAlarms(this, common, {
      DeadLetters: {
        metric: metric('DeadLetters', Stats.SUM),
        condition: 'Records could not be indexed and were stored in the lake under dead-letters/',
        meaning:
          'They are missing from OpenSearch until they are redriven; the rest of their batches is indexed.',
        firstCommand: redrive,
        runbook: 'dead-letters',
      },
      // With partial responses the function itself does not fail.
      RecordsUnstored: {
        metric: metric('RecordsUnstored', Stats.SUM),
        breaching: { datapoints: 2, of: 3 },
        condition:
          'OpenSearch did not accept records within the time of a batch in 2 of 3 intervals of 5 min',
        meaning: 'They are retried: new prices reach OpenSearch late, none are lost.',
        runbook: 'index-errors',
      },
      EventAge: {
        metric: metric('EventAge', Stats.MAXIMUM),
        threshold: above(Duration.minutes(LATE_MINUTES).toMilliseconds()),
        breaching: { datapoints: 2, of: 3 },
        condition: `Records were indexed more than ${LATE_MINUTES} min after they were produced in 2 of 3 intervals of 5 min`,
        meaning: 'New prices reach OpenSearch late.',
        runbook: 'event-age',
      },
      LagRecords: {
        ...lagging,
        metric: stream.lag('MaxOffsetLag', period),
        threshold: above(HIGH_LAG_RECORDS),
        condition: `The index function is more than ${HIGH_LAG_RECORDS} records behind in a partition for 15 min`,
      },
      LagTime: {
        ...lagging,
        metric: stream.lag('EstimatedMaxTimeLag', period),
        threshold: above(Duration.minutes(LATE_MINUTES).toSeconds()),
        condition: `The index function needs more than ${LATE_MINUTES} min to catch up, for 15 min`,
      },
      BatchesGivenUp: {
        metric: lake.putsOfGivenUpBatches(period),
        condition:
          'Lambda gave up on batches and stored them in the lake under aws/lambda/ (the on-failure destination)',
        meaning:
          'Their records are missing from OpenSearch until a schedule redrives them, within minutes of its recovery.',
        runbook: 'batches-given-up',
      },
    });
  }
}
