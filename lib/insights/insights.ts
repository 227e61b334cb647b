import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { samplingIntervals } from '../config/sampling-intervals.ts';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';
import type { Search } from '../search/domain.ts';

export interface InsightsProps extends PipelineFunctionContext {
  readonly search: Search;
  readonly world: ec2.ISecurityGroup;
}

/** Answers questions: the command line calls it with the credentials of whoever asks. */
export class Insights extends Construct {
  readonly function: PipelineFunction;

  constructor(scope: Construct, id: string, { config, vpc, key, search, world }: InsightsProps) {
    super(scope, id);
    this.function = new PipelineFunction(this, 'Function', {
      config,
      vpc,
      key,
      folder: 'insights',
      description: 'Answers questions about prices and their movements',
      ...config.functions.insights,
      environment: {
        OPENSEARCH_URL: search.url,
        OPENSEARCH_AUTH: 'iam',
        SAMPLING_INTERVALS: JSON.stringify(samplingIntervals(config)),
      },
      failedEvents: 'Whoever asks waits for the answer and is told of the failure.',
      securityGroups: [world, search.clients],
    });
  }
}
