import { Duration } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';
import type { Lake } from '../lake/lake.ts';
import type { Search } from '../search/domain.ts';
import type { Stream } from '../stream/stream.ts';

export interface IndexerProps extends PipelineFunctionContext {
  readonly lake: Lake;
  readonly stream: Stream;
  readonly search: Search;
  readonly world: ec2.ISecurityGroup;
}

/** Lambda's most; the 6 MB of an event are reached first, at about 5,700 tickers. */
const BATCH_RECORDS = 10_000;

/** From the stream into OpenSearch: the event source mapping, and the function that it calls. */
export class Indexer extends Construct {
  readonly function: PipelineFunction;
  readonly mapping: lambda.CfnEventSourceMapping;

  constructor(scope: Construct, id: string, props: IndexerProps) {
    super(scope, id);
    const { config, vpc, key, lake, stream, search, world } = props;
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
  }
}
