import { Duration } from 'aws-cdk-lib';
import { Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { samplingIntervalsText } from '../../core/market/sampling.ts';
import { samplingIntervals } from '../config/derived.ts';
import type { CompactFunctionSize, PolledSource } from '../config/stage-config.ts';
import { FunctionAlarms } from '../functions/function-alarms.ts';
import { PipelineFunction } from '../functions/pipeline-function.ts';
import { FAILED_EVENTS_ARE_QUEUED, Scheduled, type ScheduledContext } from '../functions/scheduled.ts';
import type { Lake } from '../lake/lake.ts';
import { above, PipelineAlarm } from '../monitoring/alarm.ts';
import { ownMetric } from '../monitoring/metrics.ts';

export interface CompactorProps extends ScheduledContext {
  readonly size: CompactFunctionSize;
  readonly sources: readonly PolledSource[];
  /** Fractions: 0.01 is 1 %. */
  readonly moveThresholds: readonly number[];
  readonly lake: Lake;
}

const INTERVAL = Duration.hours(1);

/**
 * Makes Parquet of the lake's closed days: of the tickers of each day, and of candles and moves of each
 * month. The first run of a night does the day before. The others find nothing to do, unless a run failed or
 * ran out of time.
 */
export class Compactor extends Construct {
  readonly function: PipelineFunction;
  readonly scheduled: Scheduled;

  constructor(scope: Construct, id: string, props: CompactorProps) {
    super(scope, id);
    const { sources, moveThresholds, lake, schedules, notifications, ...context } = props;
    const { stage } = context;
    this.function = new PipelineFunction(this, 'Function', {
      ...context,
      folder: 'compact',
      description: 'Makes Parquet of closed days',
      environment: {
        LAKE_BUCKET: lake.bucket.bucketName,
        MOVE_THRESHOLDS: moveThresholds.join(','),
        SAMPLING_INTERVALS: samplingIntervalsText(samplingIntervals({ sources })),
      },
      compiled: { package: '@duckdb/node-bindings-linux-arm64', inAnySystem: '@duckdb/node-bindings-*' },
      storageMb: context.size.storageMb,
      failedEvents: FAILED_EVENTS_ARE_QUEUED,
      maxAtOnce: 1,
    });
    const { role } = this.function;
    lake.grantRead(role, 'tickers', 'candles', 'columns');
    lake.grantPut(role, 'columns');

    this.scheduled = new Scheduled(this, 'Nightly', {
      function: this.function,
      schedules,
      description: 'a compaction of the lake',
      // By then yesterday is closed, and its last batches are in the lake.
      expression: 'cron(20 1-6 * * ? *)',
      // Polls start on the minute.
      window: Duration.minutes(2),
      interval: INTERVAL,
      input: {},
    });
    const meaning =
      'Parquet of the last days is missing or old, for Athena and other readers; the batches are in the lake.';
    new FunctionAlarms(this, 'Alarms', {
      notifications,
      stage,
      function: this.function,
      name: 'the compact function',
      interval: INTERVAL,
      queued: true,
      meaning,
      runbook: { errors: 'compact-errors' },
    });
    new PipelineAlarm(this, 'FilesDue', {
      notifications,
      metric: ownMetric('compact', stage, {}, 'FilesDue', { statistic: Stats.MAXIMUM, period: INTERVAL }),
      threshold: above(0),
      breaching: { datapoints: 4, of: 4 },
      // Nothing is emitted between two nights.
      missingData: TreatMissingData.IGNORE,
      condition: 'Parquet files of closed days are still due after 4 runs of a night',
      meaning,
      firstCommand: `npm run compact -- --stage ${stage}`,
      runbook: 'files-due',
    });
  }
}
