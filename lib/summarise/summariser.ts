import { Duration } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { pollsPerHour } from '../config/polls-per-hour.ts';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';
import { Scheduled } from '../functions/scheduled.ts';
import type { Search } from '../search/domain.ts';

export interface SummariserProps extends PipelineFunctionContext {
  readonly search: Search;
  readonly world: ec2.ISecurityGroup;
}

/** Makes candles and moves of each closed hour, ten minutes after it: the last poll's tickers are indexed then. */
export class Summariser extends Construct {
  readonly function: PipelineFunction;
  readonly scheduled: Scheduled;

  constructor(scope: Construct, id: string, { config, vpc, key, search, world }: SummariserProps) {
    super(scope, id);
    this.function = new PipelineFunction(this, 'Function', {
      config,
      vpc,
      key,
      folder: 'summarise',
      description: 'Makes candles and moves of each closed hour',
      ...config.functions.summarise,
      environment: {
        OPENSEARCH_URL: search.url,
        OPENSEARCH_AUTH: 'iam',
        MOVE_THRESHOLDS: config.summarise.moveThresholds.join(','),
        POLLS_PER_HOUR: pollsPerHour(config),
        TICK_RETENTION_DAYS: String(config.retention.tickDays),
      },
      failedEvents:
        'An event that fails goes to the on-failure destination, a queue: it knows the error, too, unlike a dead-letter queue.',
      securityGroups: [world, search.clients],
      reservedConcurrency: 1,
    });
    this.scheduled = new Scheduled(this, 'Hourly', {
      function: this.function,
      description: 'Summarises the hour that has just closed',
      expression: 'cron(10 * * * ? *)',
      interval: Duration.hours(1),
      input: {},
    });
  }
}
