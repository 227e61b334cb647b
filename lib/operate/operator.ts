import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { samplingIntervalsText } from '../../core/market/sampling.ts';
import { REPAIR_EVENT } from '../../core/operate/gaps/gaps.ts';
import { HEAL_EVENT } from '../../core/operate/heal.ts';
import { exchangesOf, samplingIntervals } from '../config/derived.ts';
import type { PolledSource } from '../config/stage-config.ts';
import { type CalledFunctionContext, PipelineFunction } from '../functions/pipeline-function.ts';
import { FAILED_EVENTS_ARE_QUEUED, Scheduled } from '../functions/scheduled.ts';
import type { Schedules } from '../functions/schedules.ts';
import type { Lake } from '../lake/lake.ts';
import { above, doctorCommand, PipelineAlarm } from '../monitoring/alarm.ts';
import { ownMetric } from '../monitoring/metrics.ts';
import type { Notifications } from '../monitoring/notifications.ts';
import type { Search } from '../search/domain.ts';
import type { Stream } from '../stream/stream.ts';

export interface OperatorProps extends CalledFunctionContext {
  readonly sources: readonly PolledSource[];
  /** Fractions: 0.01 is 1 %. */
  readonly moveThresholds: readonly number[];
  /** Of the event source mapping that the index function has. */
  readonly batchWindowSeconds: number;
  /** Each hour, fills hours without data with the exchanges' own candles. */
  readonly repairGaps: boolean;
  readonly lake: Lake;
  readonly stream: Stream;
  readonly search: Search;
  readonly schedules: Schedules;
  readonly notifications: Notifications;
}

/** Also how long an alarm waits for it, six times. */
const HEAL_INTERVAL = Duration.minutes(5);

/**
 * Runs operators' commands, one slice per event: `backfill`, `replay`, `redrive`, `verify`, `doctor`, … On a schedule it
 * redrives what failed while OpenSearch was ill.
 */
export class Operator extends Construct {
  readonly function: PipelineFunction;
  readonly scheduled: Scheduled;

  constructor(scope: Construct, id: string, props: OperatorProps) {
    super(scope, id);
    const { sources, moveThresholds, batchWindowSeconds, repairGaps, lake, stream, search, ...rest } = props;
    const { schedules, notifications, ...context } = rest;
    this.function = new PipelineFunction(this, 'Function', {
      ...context,
      folder: 'operate',
      description: "Runs operators' commands, slice by slice",
      environment: {
        ...search.environment,
        LAKE_BUCKET: lake.bucket.bucketName,
        KAFKA_CLUSTER_ARN: stream.clusterArn,
        KAFKA_TOPIC: stream.topicName,
        CONSUMER_GROUP: stream.consumerGroup,
        MOVE_THRESHOLDS: moveThresholds.join(','),
        SAMPLING_INTERVALS: samplingIntervalsText(samplingIntervals({ sources })),
        BATCHING_WINDOW_SECONDS: String(batchWindowSeconds),
        EXCHANGES: JSON.stringify(exchangesOf({ sources })),
      },
      failedEvents: `The caller of a command waits for the answer and gets the error. ${FAILED_EVENTS_ARE_QUEUED}`,
      clients: [stream.clients, search.clients],
      maxAtOnce: context.size.maxAtOnce,
    });
    const { role } = this.function;
    lake.grantRead(role, 'tickers', 'state', 'candles', 'dead-letters', 'aws/lambda', 'probe');
    // Only polls write tickers and their markers.
    lake.grantPut(role, 'candles', 'dead-letters', 'redriven', 'probe');
    // Candles, for undoing a backfill.
    lake.grantDelete(role, 'candles', 'dead-letters', 'aws/lambda', 'probe');
    stream.grantProduce(role);
    stream.grantWatch(role);

    this.scheduled = new Scheduled(this, 'Heal', {
      function: this.function,
      schedules,
      description: 'a redrive of what failed for a transient reason',
      expression: 'cron(0/5 * * * ? *)',
      // Polls start on the minute.
      window: Duration.minutes(2),
      interval: HEAL_INTERVAL,
      input: { ...HEAL_EVENT },
    });
    if (repairGaps) {
      this.scheduled.alsoCall('RepairGaps', {
        description: 'a repair of hours without data',
        // After summarise, which begins with the hour.
        expression: 'cron(35 * * * ? *)',
        window: Duration.minutes(10),
        interval: Duration.hours(1),
        input: { ...REPAIR_EVENT },
      });
    }
    const { stage } = context;
    new PipelineAlarm(this, 'BatchesToRedrive', {
      notifications,
      metric: ownMetric('redrive', stage, {}, 'BatchesToRedrive', {
        statistic: Stats.MAXIMUM,
        period: HEAL_INTERVAL,
      }),
      threshold: above(0),
      breaching: { datapoints: 6, of: 6 },
      condition: 'Batches that Lambda gave up have waited to be redriven for 30 min',
      meaning: 'Their records are missing from OpenSearch until it is well; the lake also has the tickers.',
      firstCommand: doctorCommand(stage),
      runbook: 'batches-given-up',
    });
  }
}
