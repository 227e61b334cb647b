import { Construct } from 'constructs';
import { type CalledFunctionContext, PipelineFunction } from '../functions/pipeline-function.ts';
import type { Lake } from '../lake/lake.ts';

export interface CandleFetcherProps extends CalledFunctionContext {
  readonly lake: Lake;
}

/**
 * Fetches candles through ccxt into the lake, for `backfill`. It may call the exchanges and write recorded candles,
 * nothing else. A separate function, to keep ccxt out of the operate function's bundle.
 */
export class CandleFetcher extends Construct {
  readonly function: PipelineFunction;

  constructor(scope: Construct, id: string, { lake, ...context }: CandleFetcherProps) {
    super(scope, id);
    this.function = new PipelineFunction(this, 'Function', {
      ...context,
      folder: 'candles-ccxt',
      description: 'Fetches hourly candles through ccxt for backfill',
      environment: { LAKE_BUCKET: lake.bucket.bucketName },
      failedEvents: 'The caller waits for the answer and gets the error.',
      maxAtOnce: context.size.maxAtOnce,
    });
    lake.grantPut(this.function.role, 'candles');
  }
}
