import { Duration } from 'aws-cdk-lib';
import { Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { samplingIntervalsText } from '../../core/market/sampling.ts';
import { STALE_POLLS } from '../../core/operate/watch.ts';
import { exchangesOf, samplingIntervals } from '../config/derived.ts';
import type { PolledSource } from '../config/stage-config.ts';
import { FunctionAlarms } from '../functions/function-alarms.ts';
import { PipelineFunction } from '../functions/pipeline-function.ts';
import { FAILED_EVENTS_ARE_QUEUED, Scheduled, type ScheduledContext } from '../functions/scheduled.ts';
import { addAlarms, atLeast, below, doctorCommand } from '../monitoring/alarm.ts';
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
    const exchanges = exchangesOf({ sources });
    const interval = Duration.minutes(1);
    this.function = new PipelineFunction(this, 'Function', {
      ...context,
      folder: 'watch',
      description: 'Watches how fresh tickers and summaries are',
      environment: {
        ...search.environment,
        EXCHANGES: JSON.stringify(exchanges),
        SAMPLING_INTERVALS: samplingIntervalsText(samplingIntervals({ sources })),
      },
      failedEvents: FAILED_EVENTS_ARE_QUEUED,
      clients: [search.clients],
      maxAtOnce: 1,
    });
    this.scheduled = new Scheduled(this, 'Every', {
      function: this.function,
      schedules,
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
    const common = { notifications, severity: 'page', firstCommand: doctorCommand(stage) } as const;
    addAlarms(this, common, {
      Silent: {
        metric: ownMetric('watch', stage, {}, 'Looks', { statistic: Stats.SUM, period: interval }),
        threshold: below(1),
        breaching: { datapoints: 3, of: 3 },
        missingData: TreatMissingData.BREACHING,
        condition: 'No successful look at the index for 3 min',
        meaning:
          'OpenSearch does not answer, or the watch function does not run: old prices would go unnoticed.',
        runbook: 'watch-silent',
      },
      ...Object.fromEntries(
        exchanges.map((exchange) => [
          `Freshness-${exchange}`,
          {
            metric: ownMetric('freshness', stage, { exchange }, 'StaleCategories', {
              statistic: Stats.MAXIMUM,
              period: interval,
            }),
            threshold: atLeast(1),
            // A look may come late and leave a minute without a value.
            breaching: { datapoints: 3, of: 5 },
            condition: `The newest ticker of a category of ${exchange} in OpenSearch is older than ${STALE_POLLS} polls, or there is none, for 3 min`,
            meaning: 'Answers and Dashboards show old prices.',
            runbook: 'freshness',
          },
        ]),
      ),
    });
  }
}
