import { Duration } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { usesCcxt } from '../../lambdas/ingest/sources/source-config.ts';
import type { StageConfig } from '../config/stage-config.ts';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';
import { Scheduled } from '../functions/scheduled.ts';
import type { Lake } from '../lake/lake.ts';
import type { Stream } from '../stream/stream.ts';

export interface IngestProps extends PipelineFunctionContext {
  readonly source: StageConfig['sources'][number];
  readonly lake: Lake;
  readonly stream: Stream;
  /** The way out to the exchange and to AWS. */
  readonly world: ec2.ISecurityGroup;
}

/**
 * Polls one source: its own function, its own schedule, never two polls at once. A poll that failed is not tried
 * beyond the next slot: an older one is worth nothing to the exchange, and what the lake holds of it the next poll
 * produces.
 */
export class Ingest extends Construct {
  readonly function: PipelineFunction;
  readonly scheduled: Scheduled;

  constructor(scope: Construct, id: string, props: IngestProps) {
    super(scope, id);
    const { config, vpc, key, source, lake, stream, world } = props;
    const { everyMinutes, apiUrl, ...tickerSource } = source;
    const interval = Duration.minutes(everyMinutes);

    this.function = new PipelineFunction(this, 'Function', {
      config,
      vpc,
      key,
      folder: usesCcxt(source) ? 'ingest-ccxt' : 'ingest',
      description: `Polls ${source.name} every ${everyMinutes} min: lake first, then the stream`,
      ...config.functions.ingest,
      environment: {
        TICKER_SOURCE: JSON.stringify(tickerSource),
        ...(apiUrl ? { TICKER_API_URL: apiUrl } : {}),
        SLOT_INTERVAL_MS: String(interval.toMilliseconds()),
        LAKE_BUCKET: lake.bucket.bucketName,
        KAFKA_CLUSTER_ARN: stream.clusterArn,
        KAFKA_TOPIC: stream.topicName,
      },
      failedEvents:
        'An event that fails goes to the on-failure destination, a queue: it knows the error, too, unlike a dead-letter queue.',
      securityGroups: [world, stream.clients],
      reservedConcurrency: 1,
    });
    const { role } = this.function;
    lake.grantRead(role, 'tickers', 'state');
    lake.grantPut(role, 'tickers', 'rejected', 'state');
    stream.grantProduce(role);

    this.scheduled = new Scheduled(this, 'Every', {
      function: this.function,
      description: `A poll of ${source.name}`,
      // At whole minutes of every hour; a rate would count from the moment of its deployment.
      expression: everyMinutes === 60 ? 'cron(0 * * * ? *)' : `cron(0/${everyMinutes} * * * ? *)`,
      interval,
      input: { slot: scheduler.ContextAttribute.scheduledTime },
    });
  }
}
