import { Duration } from 'aws-cdk-lib';
import { Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { marketsIn, samplingIntervalOf } from '../../core/market/sampling.ts';
import { exchangesOf, samplingIntervals } from '../config/derived.ts';
import type { PolledSource } from '../config/stage-config.ts';
import { FunctionAlarms } from '../functions/function-alarms.ts';
import { PipelineFunction } from '../functions/pipeline-function.ts';
import { FAILED_EVENTS_ARE_QUEUED, Scheduled, type ScheduledContext } from '../functions/scheduled.ts';
import { above, doctorCommand, PipelineAlarm } from '../monitoring/alarm.ts';
import { ownMetric } from '../monitoring/metrics.ts';
import type { Search } from '../search/domain.ts';

export interface WatchProps extends ScheduledContext {
  readonly sources: readonly PolledSource[];
  readonly search: Search;
}

/**
 * Checks every minute what a question would find: the age of the newest ticker and how far the summaries are. It is the
 * end of the pipeline, so any failure upstream shows here.
 */
export class Watch extends Construct {
  readonly function: PipelineFunction;
  readonly scheduled: Scheduled;

  constructor(scope: Construct, id: string, props: WatchProps) {
    super(scope, id);
    const { sources, search, schedules, notifications, ...context } = props;
    const { stage } = context;
    const intervals = samplingIntervals({ sources });
    const exchanges = exchangesOf({ sources });
    const interval = Duration.minutes(1);
    this.function = new PipelineFunction(this, 'Function', {
      ...context,
      folder: 'watch',
      description: 'Watches how fresh tickers and summaries are',
      environment: {
        ...search.environment,
        EXCHANGES: JSON.stringify(exchanges),
        SAMPLING_INTERVALS: JSON.stringify(intervals),
      },
      failedEvents: FAILED_EVENTS_ARE_QUEUED,
      clients: [search.clients],
      oneAtATime: true,
    });
    this.scheduled = new Scheduled(this, 'Every', {
      function: this.function,
      schedules,
      notifications,
      description: 'a freshness check',
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
      meaning: 'Nobody knows how fresh the data is: the freshness alarms go off even if it is fresh.',
      runbook: { errors: 'watch-errors' },
    });
    for (const market of marketsIn(intervals, exchanges)) {
      const { exchange, category } = market;
      const oldest = Duration.millis(3 * samplingIntervalOf(market, intervals));
      new PipelineAlarm(this, `Freshness-${exchange}-${category}`, {
        notifications,
        severity: 'page',
        metric: ownMetric('freshness', stage, market, 'NewestTickerAge', {
          statistic: Stats.MAXIMUM,
          period: interval,
        }),
        threshold: above(oldest.toSeconds()),
        breaching: { datapoints: 3, of: 3 },
        // There is no ticker at all, or the watch function does not run.
        missingData: TreatMissingData.BREACHING,
        condition: `The newest ${category} ticker of ${exchange} in OpenSearch is older than 3 intervals (${oldest.toMinutes()} min) for 3 min`,
        meaning: 'Answers and Dashboards show old prices.',
        firstCommand: doctorCommand(stage),
        runbook: 'freshness',
      });
    }
  }
}
