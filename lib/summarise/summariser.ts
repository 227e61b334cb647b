import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { samplingIntervals } from '../config/sampling-intervals.ts';
import { FunctionAlarms } from '../functions/function-alarms.ts';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';
import { FAILED_EVENTS_ARE_QUEUED, Scheduled } from '../functions/scheduled.ts';
import type { Schedules } from '../functions/schedules.ts';
import { PipelineAlarm } from '../monitoring/alarm.ts';
import { ownMetric } from '../monitoring/metrics.ts';
import type { Notifications } from '../monitoring/notifications.ts';
import type { Search } from '../search/domain.ts';

export interface SummariserProps extends PipelineFunctionContext {
  readonly search: Search;
  readonly world: ec2.ISecurityGroup;
  readonly schedules: Schedules;
  readonly notifications: Notifications;
}

/** One hour is behind from its end until the run ten minutes later. */
const MOST_HOURS_BEHIND = 2;

/** Makes candles and moves of each closed hour, ten minutes after it: the last poll's tickers are indexed then. */
export class Summariser extends Construct {
  readonly function: PipelineFunction;
  readonly scheduled: Scheduled;

  constructor(scope: Construct, id: string, props: SummariserProps) {
    super(scope, id);
    const { config, vpc, key, search, world, schedules, notifications } = props;
    const { stage } = config;
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
        SAMPLING_INTERVALS: JSON.stringify(samplingIntervals(config)),
        TICK_RETENTION_DAYS: String(config.retention.tickDays),
      },
      failedEvents: FAILED_EVENTS_ARE_QUEUED,
      securityGroups: [world, search.clients],
      reservedConcurrency: 1,
    });
    this.scheduled = new Scheduled(this, 'Hourly', {
      function: this.function,
      schedules,
      notifications,
      description: 'the summaries of the hour that has just closed',
      expression: 'cron(10 * * * ? *)',
      interval: Duration.hours(1),
      input: {},
    });

    new FunctionAlarms(this, 'Alarms', {
      notifications,
      stage,
      function: this.function,
      name: 'the summarise function',
      interval: Duration.hours(1),
      queued: true,
      meaning:
        'Candles and moves of the last hours are missing; questions about them are answered from the ticks.',
      runbook: { errors: 'summarise-errors' },
    });
    new PipelineAlarm(this, 'HoursBehind', {
      notifications,
      metric: ownMetric('summaries', stage, {}, 'SummariesHoursBehind', {
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: MOST_HOURS_BEHIND,
      breaching: { datapoints: 3, of: 3 },
      // The watch function counts them; when it is silent the alarm of its freshness says so.
      missingData: TreatMissingData.IGNORE,
      condition: `Summaries are more than ${MOST_HOURS_BEHIND} h behind for 15 min`,
      meaning:
        'Candles and moves of the last hours are missing; questions about them are answered from the ticks.',
      firstCommand: `npm run summarise -- --stage ${stage}`,
      runbook: 'summaries-behind',
    });
  }
}
