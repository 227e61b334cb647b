import { Construct } from 'constructs';
import { samplingIntervalsText } from '../../core/market/sampling.ts';
import { samplingIntervals } from '../config/derived.ts';
import type { PolledSource } from '../config/stage-config.ts';
import { type CalledFunctionContext, PipelineFunction } from '../functions/pipeline-function.ts';
import type { Search } from '../search/domain.ts';

export interface InsightsProps extends CalledFunctionContext {
  readonly sources: readonly PolledSource[];
  readonly search: Search;
}

/** Answers questions: the command line calls it with the caller's credentials. */
export class Insights extends Construct {
  readonly function: PipelineFunction;

  constructor(scope: Construct, id: string, { sources, search, ...context }: InsightsProps) {
    super(scope, id);
    this.function = new PipelineFunction(this, 'Function', {
      ...context,
      folder: 'insights',
      description: 'Answers questions about prices and their moves',
      environment: {
        ...search.environment,
        SAMPLING_INTERVALS: samplingIntervalsText(samplingIntervals({ sources })),
      },
      failedEvents: 'The caller waits for the answer and gets the error.',
      clients: [search.clients],
      maxAtOnce: context.size.maxAtOnce,
    });
  }
}
