import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';
import type { Lake } from '../lake/lake.ts';

export interface CandleFetcherProps extends PipelineFunctionContext {
  readonly lake: Lake;
  /** The way out to the exchanges. */
  readonly world: ec2.ISecurityGroup;
}

/**
 * Fetches candles through ccxt into the lake, for `backfill`. It may call the exchanges and write recorded candles,
 * nothing else. It is a separate function so that the operator's does not have to include ccxt.
 */
export class CandleFetcher extends Construct {
  readonly function: PipelineFunction;

  constructor(scope: Construct, id: string, { config, vpc, key, lake, world }: CandleFetcherProps) {
    super(scope, id);
    this.function = new PipelineFunction(this, 'Function', {
      config,
      vpc,
      key,
      folder: 'candles-ccxt',
      description: 'Fetches hourly candles through ccxt for backfill',
      ...config.functions.operate,
      environment: { LAKE_BUCKET: lake.bucket.bucketName },
      failedEvents: 'Whoever asks waits for the answer and is told of the failure.',
      securityGroups: [world],
    });
    lake.grantPut(this.function.role, 'candles');
  }
}
