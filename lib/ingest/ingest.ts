import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { MetricName } from '../../core/runtime/metrics.ts';
import { usesCcxt } from '../../exchanges/source-config.ts';
import type { StageConfig } from '../config/stage-config.ts';
import { FunctionAlarms } from '../functions/function-alarms.ts';
import { PipelineFunction, type PipelineFunctionContext } from '../functions/pipeline-function.ts';
import { FAILED_EVENTS_ARE_QUEUED, Scheduled } from '../functions/scheduled.ts';
import type { Schedules } from '../functions/schedules.ts';
import type { Lake } from '../lake/lake.ts';
import { PipelineAlarm } from '../monitoring/alarm.ts';
import { ownMetric } from '../monitoring/metrics.ts';
import type { Notifications } from '../monitoring/notifications.ts';
import type { Stream } from '../stream/stream.ts';

export interface IngestProps extends PipelineFunctionContext {
  readonly source: StageConfig['sources'][number];
  readonly lake: Lake;
  readonly stream: Stream;
  /** The way out to the exchange and to AWS. */
  readonly world: ec2.ISecurityGroup;
  readonly schedules: Schedules;
  readonly notifications: Notifications;
}

/** Scheduler calls within a minute of the time; half a minute more is a cold start. */
const LATE_MS = 90_000;
/** Percent of the tickers. An exchange that renames a field loses all of them. */
const HIGH_REJECTED_SHARE = 5;

/**
 * Polls one source: its own function, its own schedule, never two polls at once. A poll that failed is not tried
 * beyond the next slot: an older one is worth nothing to the exchange, and what the lake holds of it the next poll
 * produces.
 */
export class Ingest extends Construct {
  readonly function: PipelineFunction;
  readonly scheduled: Scheduled;

  constructor(scope: Construct, id: string, props: IngestProps) {
    super(scope, id);
    const { config, vpc, key, source, lake, stream, world, schedules, notifications } = props;
    const { samplingIntervalMinutes, apiUrl, ...tickerSource } = source;
    const interval = Duration.minutes(samplingIntervalMinutes);

    this.function = new PipelineFunction(this, 'Function', {
      config,
      vpc,
      key,
      folder: usesCcxt(source) ? 'ingest-ccxt' : 'ingest',
      description: `Polls ${source.name} every ${samplingIntervalMinutes} min: lake first, then the stream`,
      ...config.functions.ingest,
      environment: {
        TICKER_SOURCE: JSON.stringify(tickerSource),
        ...(apiUrl ? { TICKER_API_URL: apiUrl } : {}),
        SAMPLING_INTERVAL_MS: String(interval.toMilliseconds()),
        LAKE_BUCKET: lake.bucket.bucketName,
        KAFKA_CLUSTER_ARN: stream.clusterArn,
        KAFKA_TOPIC: stream.topicName,
      },
      failedEvents: FAILED_EVENTS_ARE_QUEUED,
      securityGroups: [world, stream.clients],
      reservedConcurrency: 1,
    });
    const { role } = this.function;
    lake.grantRead(role, 'tickers', 'state');
    lake.grantPut(role, 'tickers', 'rejected', 'state');
    stream.grantProduce(role);

    this.scheduled = new Scheduled(this, 'Every', {
      function: this.function,
      schedules,
      notifications,
      description: `a poll of ${source.name}`,
      // At whole minutes of every hour; a rate would count from the moment of its deployment.
      expression:
        samplingIntervalMinutes === 60 ? 'cron(0 * * * ? *)' : `cron(0/${samplingIntervalMinutes} * * * ? *)`,
      interval,
      input: { slot: scheduler.ContextAttribute.scheduledTime },
    });

    new FunctionAlarms(this, 'Alarms', {
      notifications,
      stage: config.stage,
      function: this.function,
      name: `the poll of ${source.name}`,
      interval,
      queued: true,
      meaning: 'Polls fail or run out of time; what they would have fetched is missing.',
      runbook: { errors: 'poll-errors', slow: 'slow-polls' },
      timeoutSeconds: config.functions.ingest.timeoutSeconds,
    });
    this.#alarms(props, interval);
  }

  /** Of what each poll says of itself; each datapoint is one poll. */
  #alarms({ config: { stage }, source, notifications }: IngestProps, interval: Duration): void {
    const { name, exchange, api, categories, apiUrl } = source;
    const dimensions = { exchange, source: name };
    const minutes = interval.toMinutes();
    const metric = (metricName: MetricName<'ingest'>, statistic: string) =>
      ownMetric('ingest', stage, dimensions, metricName, { statistic, period: interval });
    const doctor = `npm run doctor -- --stage ${stage}`;
    const known = api === 'bybit-v5' ? 'bybit' : api;
    const probe = `npm run probe -- ${known}:${categories.join(',')}${apiUrl ? `=${apiUrl}` : ''}`;
    const common = { notifications, missingData: TreatMissingData.NOT_BREACHING };
    const inTwoOfThree = `in 2 of 3 intervals of ${minutes} min`;

    new PipelineAlarm(this, 'Heartbeat', {
      ...common,
      severity: 'page',
      metric: metric('PollsSucceeded', Stats.SUM),
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      breaching: { datapoints: 3, of: 3 },
      // A function that does not run says nothing.
      missingData: TreatMissingData.BREACHING,
      condition: `No successful poll of ${name} for 3 intervals of ${minutes} min`,
      meaning:
        'Its prices are not collected, or do not reach Kafka: what the exchange said meanwhile is gone.',
      firstCommand: doctor,
      runbook: 'heartbeat',
    });
    new PipelineAlarm(this, 'CategoriesFailed', {
      ...common,
      metric: metric('CategoriesFailed', Stats.SUM),
      comparison: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      breaching: { datapoints: 2, of: 3 },
      condition: `Categories of ${name} could not be fetched or stored ${inTwoOfThree}`,
      meaning: 'Their prices have a gap, the others go on.',
      firstCommand: probe,
      runbook: 'categories-failed',
    });
    new PipelineAlarm(this, 'SuspiciousAnswers', {
      ...common,
      metric: metric('SuspiciousAnswers', Stats.SUM),
      comparison: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      // Against the poll before: the next one looks like this one, and is no longer suspicious.
      breaching: { datapoints: 1, of: 1 },
      condition: `${name} answered with nothing, or with under half of the tickers of the poll before`,
      meaning: 'What came is stored; markets may be missing.',
      firstCommand: probe,
      runbook: 'suspicious-answers',
    });
    new PipelineAlarm(this, 'RejectedShare', {
      ...common,
      metric: metric('RejectedShare', Stats.AVERAGE),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: HIGH_REJECTED_SHARE,
      breaching: { datapoints: 2, of: 3 },
      condition: `More than ${HIGH_REJECTED_SHARE} % of the tickers of ${name} rejected ${inTwoOfThree}`,
      meaning:
        'The exchange changed what it sends: these markets are not collected, what came lies under rejected/.',
      firstCommand: probe,
      runbook: 'rejected-share',
    });
    new PipelineAlarm(this, 'SlotDelay', {
      ...common,
      metric: metric('SlotDelay', Stats.MAXIMUM),
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: LATE_MS,
      breaching: { datapoints: 2, of: 3 },
      condition: `Polls of ${name} began more than ${LATE_MS / 1_000} s after their time ${inTwoOfThree}`,
      meaning: 'Prices are younger than the time that they are filed under.',
      firstCommand: doctor,
      runbook: 'slot-delay',
    });
    new PipelineAlarm(this, 'UnreadableInLake', {
      ...common,
      metric: metric('UnreadableInLake', Stats.SUM),
      comparison: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      // It is passed over, once and for good.
      breaching: { datapoints: 1, of: 1 },
      condition: `A batch of ${name} in the lake cannot be read`,
      meaning: 'It was passed over: its tickers are neither in Kafka nor in OpenSearch.',
      firstCommand: `npm run verify -- --exchange ${exchange} --stage ${stage}`,
      runbook: 'unreadable-in-lake',
    });
  }
}
