import { Duration } from 'aws-cdk-lib';
import { Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { MetricName } from '../../core/runtime/metrics.ts';
import { usesCcxt } from '../../exchanges/source-config.ts';
import type { PolledSource } from '../config/stage-config.ts';
import { FunctionAlarms } from '../functions/function-alarms.ts';
import { PipelineFunction } from '../functions/pipeline-function.ts';
import { FAILED_EVENTS_ARE_QUEUED, Scheduled, type ScheduledContext } from '../functions/scheduled.ts';
import type { Lake } from '../lake/lake.ts';
import { above, addAlarms, atLeast, below, doctorCommand } from '../monitoring/alarm.ts';
import { ownMetric } from '../monitoring/metrics.ts';
import type { Stream } from '../stream/stream.ts';
import { pollExpression } from './poll-times.ts';
import type { Polls } from './polls.ts';

export interface IngestProps extends ScheduledContext {
  readonly source: PolledSource;
  /** How long the index keeps ticks; polls produce nothing that is older. */
  readonly tickDays: number;
  readonly lake: Lake;
  readonly stream: Stream;
  readonly polls: Polls;
}

/** Scheduler calls within a minute of the scheduled time; a cold start takes up to another half minute. */
const LATE_MS = 90_000;
/** Percent of the tickers. If an exchange renames a field, all of them are rejected. */
const HIGH_REJECTED_SHARE = 5;

/**
 * Polls one source with its own function and schedule. A poll ends before the next slot; should two run at once all the
 * same, the lake keeps the batch of the first. A failed poll is not retried beyond the next slot: exchanges do not serve
 * past prices, and the next poll produces what this one left in the lake.
 */
export class Ingest extends Construct {
  readonly function: PipelineFunction;
  readonly scheduled: Scheduled;

  constructor(scope: Construct, id: string, props: IngestProps) {
    super(scope, id);
    const { source, tickDays, lake, stream, polls, schedules, notifications, ...context } = props;
    const { samplingIntervalMinutes, apiUrl, apiIsPrivate, ...tickerSource } = source;
    const interval = Duration.minutes(samplingIntervalMinutes);

    this.function = new PipelineFunction(this, 'Function', {
      ...context,
      folder: usesCcxt(source) ? 'ingest-ccxt' : 'ingest',
      description: `Polls ${source.name} every ${samplingIntervalMinutes} min: lake first, then the stream`,
      environment: {
        TICKER_SOURCE: JSON.stringify(tickerSource),
        ...(apiUrl ? { TICKER_API_URL: apiUrl } : {}),
        ...(apiIsPrivate ? { EXCHANGE_ADDRESSES: 'any' } : {}),
        SAMPLING_INTERVAL_MS: String(interval.toMilliseconds()),
        TICK_RETENTION_DAYS: String(tickDays),
        LAKE_BUCKET: lake.bucket.bucketName,
        ...(lake.lockDays === undefined ? {} : { LAKE_LOCK_DAYS: String(lake.lockDays) }),
        KAFKA_CLUSTER_ARN: stream.clusterArn,
        KAFKA_TOPIC: stream.topicName,
      },
      failedEvents: FAILED_EVENTS_ARE_QUEUED,
      clients: [stream.clients],
      logGroup: polls.logGroup,
      maxAtOnce: 1,
    });
    const { role } = this.function;
    lake.grantPolls(role, source);
    stream.grantProduce(role);

    this.scheduled = new Scheduled(this, 'Every', {
      function: this.function,
      schedules,
      description: `a poll of ${source.name}`,
      expression: pollExpression(source),
      interval,
      input: { slot: scheduler.ContextAttribute.scheduledTime },
      deadLetters: polls.deadLetters,
    });

    new FunctionAlarms(this, 'Alarms', {
      notifications,
      stage: context.stage,
      function: this.function,
      name: `the poll of ${source.name}`,
      interval,
      queued: true,
      meaning: 'Polls fail or time out; the prices that they would have fetched are missing.',
      runbook: { errors: 'poll-errors', slow: 'slow-polls' },
      timeoutSeconds: context.size.timeoutSeconds,
    });
    this.#alarms(props, interval);
  }

  /** On the metrics that polls emit, one datapoint per poll. */
  #alarms({ stage, source, notifications }: IngestProps, interval: Duration): void {
    const { name, exchange, api, categories, apiUrl } = source;
    const metric = (metricName: MetricName<'ingest'>, statistic: string) =>
      ownMetric('ingest', stage, { source: name }, metricName, { statistic, period: interval });
    const known = api === 'bybit-v5' ? 'bybit' : api;
    const probe = `npm run probe -- ${known}:${categories.join(',')}${apiUrl ? `=${apiUrl}` : ''}`;
    const minutes = interval.toMinutes();
    const inTwoOfThree = `in 2 of 3 intervals of ${minutes} min`;

    const common = {
      notifications,
      threshold: atLeast(1),
      breaching: { datapoints: 2, of: 3 },
      firstCommand: doctorCommand(stage),
    };
    addAlarms(this, common, {
      Heartbeat: {
        severity: 'page',
        metric: metric('PollsSucceeded', Stats.SUM),
        threshold: below(1),
        breaching: { datapoints: 3, of: 3 },
        // A function that does not run emits nothing.
        missingData: TreatMissingData.BREACHING,
        condition: `No successful poll of ${name} for 3 intervals of ${minutes} min`,
        meaning:
          'Its prices are not collected, or do not reach Kafka; prices that are not collected are lost for good.',
        runbook: 'heartbeat',
      },
      CategoriesFailed: {
        metric: metric('CategoriesFailed', Stats.SUM),
        condition: `Categories of ${name} could not be fetched or stored ${inTwoOfThree}`,
        meaning: 'Their prices have a gap; other categories are not affected.',
        firstCommand: probe,
        runbook: 'categories-failed',
      },
      SuspiciousAnswers: {
        metric: metric('SuspiciousAnswers', Stats.SUM),
        // Compared with the previous poll, so the next one is no longer suspicious.
        breaching: { datapoints: 1, of: 1 },
        condition: `${name} returned no tickers, or fewer than half as many as expected or as in the previous poll`,
        meaning: 'The tickers that came are stored; markets may be missing.',
        firstCommand: probe,
        runbook: 'suspicious-answers',
      },
      RejectedShare: {
        metric: metric('RejectedShare', Stats.AVERAGE),
        threshold: above(HIGH_REJECTED_SHARE),
        condition: `More than ${HIGH_REJECTED_SHARE} % of the tickers of ${name} rejected ${inTwoOfThree}`,
        meaning:
          'The exchange changed its data: these markets are not collected; rejected tickers are kept in rejected/.',
        firstCommand: probe,
        runbook: 'rejected-share',
      },
      SlotDelay: {
        metric: metric('SlotDelay', Stats.MAXIMUM),
        threshold: above(LATE_MS),
        condition: `Polls of ${name} started more than ${LATE_MS / 1_000} s late ${inTwoOfThree}`,
        meaning: 'Prices are newer than the time they are stored under.',
        runbook: 'slot-delay',
      },
      UnreadableInLake: {
        metric: metric('UnreadableInLake', Stats.SUM),
        // The batch is skipped once and for all.
        breaching: { datapoints: 1, of: 1 },
        condition: `A batch of ${name} in the lake cannot be read`,
        meaning: 'It was skipped: its tickers are in neither Kafka nor OpenSearch.',
        firstCommand: `npm run verify -- --exchange ${exchange} --stage ${stage}`,
        runbook: 'unreadable-in-lake',
      },
    });
  }
}
