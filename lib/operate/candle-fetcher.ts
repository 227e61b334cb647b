import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';

export interface CandleFetcherProps extends PipelineFunctionContext {
  /** The way out to the exchanges. */
  readonly world: ec2.ISecurityGroup;
}

/**
 * Fetches candles through ccxt for `backfill`, and hands them back: it may reach the exchanges, and nothing of ours.
 * A function of its own, so that the operator's does not carry ccxt.
 */
export class CandleFetcher extends Construct {
  readonly function: PipelineFunction;

  constructor(scope: Construct, id: string, { config, vpc, key, world }: CandleFetcherProps) {
    super(scope, id);
    this.function = new PipelineFunction(this, 'Function', {
      config,
      vpc,
      key,
      folder: 'candles-ccxt',
      description: 'Fetches hourly candles through ccxt for backfill',
      ...config.functions.operate,
      environment: {},
      failedEvents: 'Whoever asks waits for the answer and is told of the failure.',
      securityGroups: [world],
    });
  }
}
