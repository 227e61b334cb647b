import { Construct } from 'constructs';
import { exchangesOf, samplingIntervals } from '../config/derived.ts';
import type { PolledSource } from '../config/stage-config.ts';
import { PipelineFunction, type SizedFunctionContext } from '../functions/pipeline-function.ts';
import type { Lake } from '../lake/lake.ts';
import type { Search } from '../search/domain.ts';
import type { Stream } from '../stream/stream.ts';

export interface OperatorProps extends SizedFunctionContext {
  readonly sources: readonly PolledSource[];
  /** Fractions: 0.01 is 1 %. */
  readonly moveThresholds: readonly number[];
  /** Of the event source mapping that the index function has. */
  readonly batchWindowSeconds: number;
  readonly lake: Lake;
  readonly stream: Stream;
  readonly search: Search;
}

/** Runs operators' commands, one slice per event: `backfill`, `replay`, `redrive`, `verify`, `doctor`, … */
export class Operator extends Construct {
  readonly function: PipelineFunction;

  constructor(scope: Construct, id: string, props: OperatorProps) {
    super(scope, id);
    const { sources, moveThresholds, batchWindowSeconds, lake, stream, search, ...context } = props;
    this.function = new PipelineFunction(this, 'Function', {
      ...context,
      folder: 'operate',
      description: "Runs operators' commands, slice by slice",
      environment: {
        ...search.environment,
        LAKE_BUCKET: lake.bucket.bucketName,
        KAFKA_CLUSTER_ARN: stream.clusterArn,
        KAFKA_TOPIC: stream.topicName,
        CONSUMER_GROUP: stream.consumerGroup,
        MOVE_THRESHOLDS: moveThresholds.join(','),
        SAMPLING_INTERVALS: JSON.stringify(samplingIntervals({ sources })),
        BATCHING_WINDOW_SECONDS: String(batchWindowSeconds),
        EXCHANGES: JSON.stringify(exchangesOf({ sources })),
      },
      failedEvents: 'The caller waits for the answer and gets the error.',
      clients: [stream.clients, search.clients],
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
