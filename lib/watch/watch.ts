import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { marketsIn, samplingIntervalOf } from '../../core/market/sampling.ts';
import { exchangesOf } from '../config/exchanges.ts';
import { samplingIntervals } from '../config/sampling-intervals.ts';
import { FunctionAlarms } from '../functions/function-alarms.ts';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';
import { FAILED_EVENTS_ARE_QUEUED, Scheduled } from '../functions/scheduled.ts';
import type { Schedules } from '../functions/schedules.ts';
import { PipelineAlarm } from '../monitoring/alarm.ts';
import { ownMetric } from '../monitoring/metrics.ts';
import type { Notifications } from '../monitoring/notifications.ts';
import type { Search } from '../search/domain.ts';

export interface WatchProps extends PipelineFunctionContext {
  readonly search: Search;
  readonly world: ec2.ISecurityGroup;
  readonly schedules: Schedules;
  readonly notifications: Notifications;
}

/**
 * Looks each minute at what a question would find: how old the newest ticker is, and how far the summaries are. It
 * stands at the end of the pipeline, so whatever breaks before it shows here.
 */
export class Watch extends Construct {
  readonly function: PipelineFunction;
  readonly scheduled: Scheduled;

  constructor(scope: Construct, id: string, props: WatchProps) {
    super(scope, id);
    const { config, vpc, key, search, world, schedules, notifications } = props;
    const { stage } = config;
    const intervals = samplingIntervals(config);
    const interval = Duration.minutes(1);
    this.function = new PipelineFunction(this, 'Function', {
      config,
      vpc,
      key,
      folder: 'watch',
      description: 'Watches how fresh tickers and summaries are',
      ...config.functions.watch,
      environment: {
        OPENSEARCH_URL: search.url,
        OPENSEARCH_AUTH: 'iam',
        EXCHANGES: JSON.stringify(exchangesOf(config)),
        SAMPLING_INTERVALS: JSON.stringify(intervals),
      },
      failedEvents: FAILED_EVENTS_ARE_QUEUED,
      securityGroups: [world, search.clients],
      reservedConcurrency: 1,
    });
    this.scheduled = new Scheduled(this, 'Every', {
      function: this.function,
      schedules,
      notifications,
      description: 'a look at how fresh the data is',
      expression: 'cron(* * * * ? *)',
      interval,
      input: {},
    });

    new FunctionAlarms(this, 'Alarms', {
      notifications,
      stage,
      function: this.function,
      name: 'the watch function',
      interval: Duration.minutes(5),
      queued: true,
      meaning:
        'Nobody knows how fresh the data is: the alarms of freshness go off, whether or not it is old.',
      runbook: { errors: 'watch-errors' },
    });
    for (const market of marketsIn(intervals, exchangesOf(config))) {
      const { exchange, category } = market;
      const longest = Duration.millis(3 * samplingIntervalOf(market, intervals));
      new PipelineAlarm(this, `Freshness-${exchange}-${category}`, {
        notifications,
        severity: 'page',
        metric: ownMetric('freshness', stage, market, 'NewestTickerAge', {
          statistic: Stats.MAXIMUM,
          period: interval,
        }),
        comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
        threshold: longest.toSeconds(),
        breaching: { datapoints: 3, of: 3 },
        // No ticker at all, or nobody who looks.
        missingData: TreatMissingData.BREACHING,
        condition: `The newest ${category} ticker of ${exchange} in OpenSearch is older than 3 intervals (${longest.toMinutes()} min) for 3 min`,
        meaning: 'Whoever asks or looks at Dashboards sees old prices.',
        firstCommand: `npm run doctor -- --stage ${stage}`,
        runbook: 'freshness',
      });
    }
  }
}
