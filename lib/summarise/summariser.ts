import { Duration } from 'aws-cdk-lib';
import { Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { samplingIntervalsText } from '../../core/market/sampling.ts';
import { samplingIntervals } from '../config/derived.ts';
import type { PolledSource } from '../config/stage-config.ts';
import { FunctionAlarms } from '../functions/function-alarms.ts';
import { PipelineFunction } from '../functions/pipeline-function.ts';
import { FAILED_EVENTS_ARE_QUEUED, Scheduled, type ScheduledContext } from '../functions/scheduled.ts';
import { above, PipelineAlarm } from '../monitoring/alarm.ts';
import { ownMetric } from '../monitoring/metrics.ts';
import type { Search } from '../search/domain.ts';

export interface SummariserProps extends ScheduledContext {
  readonly sources: readonly PolledSource[];
  /** Fractions: 0.01 is 1 %. */
  readonly moveThresholds: readonly number[];
  /** How long OpenSearch keeps ticks. */
  readonly tickDays: number;
  readonly search: Search;
}

/** An hour counts as behind from its end until the run ten minutes later. */
const MAX_HOURS_BEHIND = 2;

/** Computes the candles and moves of each closed hour, ten minutes later: by then the last poll is indexed. */
export class Summariser extends Construct {
  readonly function: PipelineFunction;
  readonly scheduled: Scheduled;

  constructor(scope: Construct, id: string, props: SummariserProps) {
    super(scope, id);
    const { sources, moveThresholds, tickDays, search, schedules, notifications, ...context } = props;
    const { stage } = context;
    this.function = new PipelineFunction(this, 'Function', {
      ...context,
      folder: 'summarise',
      description: 'Computes candles and moves of each closed hour',
      environment: {
        ...search.environment,
        MOVE_THRESHOLDS: moveThresholds.join(','),
        SAMPLING_INTERVALS: samplingIntervalsText(samplingIntervals({ sources })),
        TICK_RETENTION_DAYS: String(tickDays),
      },
      failedEvents: FAILED_EVENTS_ARE_QUEUED,
      clients: [search.clients],
      maxAtOnce: 1,
    });
    this.scheduled = new Scheduled(this, 'Hourly', {
      function: this.function,
      schedules,
      description: 'the summaries of the hour that has just closed',
      expression: 'cron(10 * * * ? *)',
      // Polls start on the minute.
      window: Duration.minutes(2),
      interval: Duration.hours(1),
      input: {},
    });

    const meaning =
      'Candles and moves of the last hours are missing; questions about them are answered from ticks.';
    new FunctionAlarms(this, 'Alarms', {
      notifications,
      stage,
      function: this.function,
      name: 'the summarise function',
      interval: Duration.hours(1),
      queued: true,
      meaning,
      runbook: { errors: 'summarise-errors' },
    });
    new PipelineAlarm(this, 'HoursBehind', {
      notifications,
      metric: ownMetric('watch', stage, {}, 'SummariesHoursBehind', {
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      threshold: above(MAX_HOURS_BEHIND),
      breaching: { datapoints: 3, of: 3 },
      // Emitted by the watch function; if it is silent, an alarm of its own goes off.
      missingData: TreatMissingData.IGNORE,
      condition: `Summaries are more than ${MAX_HOURS_BEHIND} h behind for 15 min`,
      meaning,
      firstCommand: `npm run summarise -- --stage ${stage}`,
      runbook: 'summaries-behind',
    });
  }
}
