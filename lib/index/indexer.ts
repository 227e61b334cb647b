import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { FunctionAlarms } from '../functions/function-alarms.ts';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';
import type { Lake } from '../lake/lake.ts';
import { PipelineAlarm } from '../monitoring/alarm.ts';
import { ownMetric } from '../monitoring/metrics.ts';
import type { Notifications } from '../monitoring/notifications.ts';
import type { Search } from '../search/domain.ts';
import type { Stream } from '../stream/stream.ts';

export interface IndexerProps extends PipelineFunctionContext {
  readonly lake: Lake;
  readonly stream: Stream;
  readonly search: Search;
  readonly world: ec2.ISecurityGroup;
  readonly notifications: Notifications;
}

/** Lambda's most; the 6 MB of an event are reached first, at about 5,700 tickers. */
const BATCH_RECORDS = 10_000;

/** In one partition: about four full events, or a dozen polls. */
const MUCH_LAG_RECORDS = 20_000;
/** Until a record is indexed; two or three minutes is what batch window and retries need. */
const LONG_MINUTES = 10;

/** From the stream into OpenSearch: the event source mapping, and the function that it calls. */
export class Indexer extends Construct {
  readonly function: PipelineFunction;
  readonly mapping: lambda.CfnEventSourceMapping;

  constructor(scope: Construct, id: string, props: IndexerProps) {
    super(scope, id);
    const { config, vpc, key, lake, stream, search, world, notifications } = props;
    const { provisioned, minimumPollers, maximumPollers, batchWindowSeconds, maxRecordAgeHours } =
      config.index;

    this.function = new PipelineFunction(this, 'Function', {
      config,
      vpc,
      key,
      folder: 'index',
      description: 'Indexes tickers from the stream',
      ...config.functions.index,
      environment: {
        OPENSEARCH_URL: search.url,
        OPENSEARCH_AUTH: 'iam',
        LAKE_BUCKET: lake.bucket.bucketName,
        // Of no use without provisioned pollers: Lambda would take any answer for a success.
        PARTIAL_BATCH_RESPONSE: String(provisioned),
      },
      failedEvents:
        'The event source mapping calls it and waits: a batch that fails comes again, or goes to the on-failure destination of the mapping.',
      securityGroups: [world, search.clients],
    });
    const { fn, role } = this.function;
    lake.grantPut(role, 'dead-letters', 'aws/lambda');
    stream.grantConsume(role);
    // What Lambda itself asks of MSK before it polls.
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['kafka:DescribeCluster', 'kafka:DescribeClusterV2'],
        resources: [stream.clusterArn],
      }),
    );
    // … and of the network, to stand beside the brokers; none of it takes a narrower resource.
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['ec2:DescribeSecurityGroups', 'ec2:DescribeVpcs'],
        resources: ['*'],
      }),
    );
    // Lambda looks whether the bucket of the on-failure destination is there.
    role.addToPolicy(
      new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: [lake.bucket.bucketArn] }),
    );

    // The L1: CDK's Kafka event source would attach AWS's managed policy, which allows more than this needs.
    this.mapping = new lambda.CfnEventSourceMapping(this, 'Mapping', {
      functionName: fn.functionArn,
      eventSourceArn: stream.clusterArn,
      topics: [stream.topicName],
      amazonManagedKafkaEventSourceConfig: { consumerGroupId: stream.consumerGroup },
      startingPosition: 'TRIM_HORIZON',
      batchSize: BATCH_RECORDS,
      maximumBatchingWindowInSeconds: batchWindowSeconds,
      // The object holds the whole payload, unlike a message in a queue.
      destinationConfig: { onFailure: { destination: lake.bucket.bucketArn } },
      ...(provisioned
        ? {
            provisionedPollerConfig: { minimumPollers, maximumPollers },
            bisectBatchOnFunctionError: true,
            functionResponseTypes: ['ReportBatchItemFailures'],
            maximumRecordAgeInSeconds: Duration.hours(maxRecordAgeHours).toSeconds(),
          }
        : {}),
    });
    // Lambda tries the role when the mapping is made.
    this.mapping.node.addDependency(role);

    new FunctionAlarms(this, 'Alarms', {
      notifications,
      stage: config.stage,
      function: this.function,
      name: 'the index function',
      interval: Duration.minutes(5),
      queued: false,
      meaning: 'Batches fail and come again: new prices are late in OpenSearch, none is lost.',
      runbook: { errors: 'index-errors', slow: 'slow-index' },
      timeoutSeconds: config.functions.index.timeoutSeconds,
    });
    this.#alarms(props);
  }

  #alarms({ config: { stage }, lake, stream, notifications }: IndexerProps): void {
    const period = Duration.minutes(5);
    const common = {
      notifications,
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      missingData: TreatMissingData.NOT_BREACHING,
    };
    const doctor = `npm run doctor -- --stage ${stage}`;

    new PipelineAlarm(this, 'DeadLetters', {
      ...common,
      metric: ownMetric('index', stage, {}, 'DeadLetters', { statistic: Stats.SUM, period }),
      threshold: 0,
      breaching: { datapoints: 1, of: 1 },
      condition: 'Records could not be indexed and lie in the lake under dead-letters/',
      meaning: 'They are missing in OpenSearch until they are redriven; the rest of their batches is there.',
      firstCommand: `npm run redrive -- --dry-run --stage ${stage}`,
      runbook: 'dead-letters',
    });
    // With partial answers the function itself does not fail.
    new PipelineAlarm(this, 'RecordsUnstored', {
      ...common,
      metric: ownMetric('index', stage, {}, 'RecordsUnstored', { statistic: Stats.SUM, period }),
      threshold: 0,
      breaching: { datapoints: 2, of: 3 },
      condition: 'OpenSearch did not take records within the time of a batch, in 2 of 3 intervals of 5 min',
      meaning: 'They come again: new prices are late in OpenSearch, none is lost.',
      firstCommand: doctor,
      runbook: 'index-errors',
    });
    new PipelineAlarm(this, 'EventAge', {
      ...common,
      metric: ownMetric('index', stage, {}, 'EventAge', { statistic: Stats.MAXIMUM, period }),
      threshold: Duration.minutes(LONG_MINUTES).toMilliseconds(),
      breaching: { datapoints: 2, of: 3 },
      condition: `Records were indexed more than ${LONG_MINUTES} min after they were produced, in 2 of 3 intervals of 5 min`,
      meaning: 'New prices are late in OpenSearch.',
      firstCommand: doctor,
      runbook: 'event-age',
    });
    new PipelineAlarm(this, 'LagRecords', {
      ...common,
      metric: stream.lag('MaxOffsetLag', period),
      threshold: MUCH_LAG_RECORDS,
      breaching: { datapoints: 3, of: 3 },
      condition: `The index function is more than ${MUCH_LAG_RECORDS} records of a partition behind for 15 min`,
      meaning: 'New prices are late in OpenSearch; Kafka keeps them for days.',
      firstCommand: doctor,
      runbook: 'consumer-lag',
    });
    new PipelineAlarm(this, 'LagTime', {
      ...common,
      metric: stream.lag('EstimatedMaxTimeLag', period),
      threshold: Duration.minutes(LONG_MINUTES).toSeconds(),
      breaching: { datapoints: 3, of: 3 },
      condition: `The index function needs more than ${LONG_MINUTES} min to catch up, for 15 min`,
      meaning: 'New prices are late in OpenSearch; Kafka keeps them for days.',
      firstCommand: doctor,
      runbook: 'consumer-lag',
    });
    new PipelineAlarm(this, 'BatchesGivenUp', {
      ...common,
      metric: lake.putsOfGivenUpBatches(period),
      threshold: 0,
      breaching: { datapoints: 1, of: 1 },
      condition:
        'Lambda gave up batches and left them in the lake under aws/lambda/ (the on-failure destination)',
      meaning: 'Their records are missing in OpenSearch until they are redriven; the lake has them, too.',
      firstCommand: `npm run redrive -- --dry-run --stage ${stage}`,
      runbook: 'batches-given-up',
    });
  }
}
