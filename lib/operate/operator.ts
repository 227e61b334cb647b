import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { exchangesOf } from '../config/exchanges.ts';
import { samplingIntervals } from '../config/sampling-intervals.ts';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';
import type { Lake } from '../lake/lake.ts';
import type { Search } from '../search/domain.ts';
import type { Stream } from '../stream/stream.ts';

export interface OperatorProps extends PipelineFunctionContext {
  readonly lake: Lake;
  readonly stream: Stream;
  readonly search: Search;
  readonly world: ec2.ISecurityGroup;
}

/** Does operators' commands, one event a slice: `backfill`, `replay`, `redrive`, `verify`, `doctor`, … */
export class Operator extends Construct {
  readonly function: PipelineFunction;

  constructor(scope: Construct, id: string, props: OperatorProps) {
    super(scope, id);
    const { config, vpc, key, lake, stream, search, world } = props;
    this.function = new PipelineFunction(this, 'Function', {
      config,
      vpc,
      key,
      folder: 'operate',
      description: "Does operators' commands, slice by slice",
      ...config.functions.operate,
      environment: {
        OPENSEARCH_URL: search.url,
        OPENSEARCH_AUTH: 'iam',
        LAKE_BUCKET: lake.bucket.bucketName,
        KAFKA_CLUSTER_ARN: stream.clusterArn,
        KAFKA_TOPIC: stream.topicName,
        CONSUMER_GROUP: stream.consumerGroup,
        MOVE_THRESHOLDS: config.summarise.moveThresholds.join(','),
        SAMPLING_INTERVALS: JSON.stringify(samplingIntervals(config)),
        EXCHANGES: JSON.stringify(exchangesOf(config)),
      },
      failedEvents: 'Whoever asks waits for the answer and is told of the failure.',
      securityGroups: [world, stream.clients, search.clients],
    });
    const { role } = this.function;
    lake.grantRead(role, 'tickers', 'state', 'candles', 'dead-letters', 'aws/lambda', 'probe');
    // Only polls write tickers and their markers.
    lake.grantPut(role, 'candles', 'dead-letters', 'redriven', 'probe');
    lake.grantDelete(role, 'dead-letters', 'aws/lambda', 'probe');
    stream.grantProduce(role);
    stream.grantWatch(role);
  }
}
