import { Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { marketsIn } from '../../core/market/sampling.ts';
import type { MetricName } from '../../core/runtime/metrics.ts';
import { exchangesOf, samplingIntervals } from '../config/derived.ts';
import type { PolledSource } from '../config/stage-config.ts';
import type { PipelineFunction } from '../functions/pipeline-function.ts';
import type { Search } from '../search/domain.ts';
import type { Stream } from '../stream/stream.ts';
import { doctorCommand, type PipelineAlarm } from './alarm.ts';
import type { DataNotArriving } from './data-not-arriving.ts';
import { ownMetric } from './metrics.ts';

export interface OperationsDashboardProps {
  readonly stage: string;
  readonly sources: readonly PolledSource[];
  readonly stream: Stream;
  readonly search: Search;
  readonly functions: {
    readonly ingest: readonly PipelineFunction[];
    readonly index: PipelineFunction;
    readonly summarise: PipelineFunction;
  };
  /** The functions whose latest errors are shown. */
  readonly every: readonly PipelineFunction[];
  readonly alarms: readonly PipelineAlarm[];
  readonly page: DataNotArriving;
}

const PERIOD = Duration.minutes(5);
const HEIGHT = 5;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html */
const MAX_ALARMS_PER_WIDGET = 100;

type Metrics = cloudwatch.IMetric[];
/** By title. */
type Graphs = Record<string, Metrics>;

/**
 * Follows the data from left to right: source → lake and stream → index → summaries → engines. The state of every alarm
 * is above, the latest errors of all functions are below.
 */
export class OperationsDashboard extends Construct {
  /** In the CloudWatch console. */
  readonly url: string;
  readonly #props: OperationsDashboardProps;

  constructor(scope: Construct, id: string, props: OperationsDashboardProps) {
    super(scope, id);
    this.#props = props;
    const dashboard = new cloudwatch.Dashboard(this, 'Dashboard', { defaultInterval: Duration.hours(6) });
    dashboard.addWidgets(...this.#alarms());
    dashboard.addWidgets(
      columnOf('Source', 5, this.#source()),
      columnOf('Lake and stream', 5, this.#stream()),
      columnOf('Index', 5, this.#index()),
      columnOf('Summaries', 4, this.#summaries()),
      columnOf('Engines', 5, this.#engines()),
    );
    dashboard.addWidgets(...this.#errors());
    const { region } = Stack.of(this);
    this.url = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboard.dashboardName}`;
  }

  #alarms(): cloudwatch.IWidget[] {
    const { alarms, page, stage } = this.#props;
    const known = (alarm: PipelineAlarm) =>
      cloudwatch.Alarm.fromAlarmArn(this, alarm.alarmName, alarm.arnFrom(this));
    const severe = alarms.filter(({ severity }) => severity === 'page');
    const others = alarms.filter(({ severity }) => severity === 'notice');
    const height = (count: number, perRow: number) => 1 + Math.ceil(count / perRow);
    return [
      new cloudwatch.TextWidget({
        markdown: `# ${stage}\nSource → lake and stream → index → summaries → engines. Each alarm has a section in \`docs/runbook.md\`. First: \`${doctorCommand(stage)}\``,
        width: 24,
        height: 2,
      }),
      new cloudwatch.AlarmStatusWidget({
        title: 'Pages someone, and why',
        alarms: [page.alarm, ...severe.map(known)],
        width: 24,
        height: height(1 + severe.length, 4),
      }),
      ...chunksOf(others, MAX_ALARMS_PER_WIDGET).map(
        (some) =>
          new cloudwatch.AlarmStatusWidget({
            title: 'Can wait until tomorrow',
            alarms: some.map(known),
            width: 24,
            height: height(some.length, 4),
          }),
      ),
    ];
  }

  #source(): Graphs {
    const { functions } = this.#props;
    const perSource = this.#perSource.bind(this);
    return {
      Polls: [...perSource('PollsSucceeded', Stats.SUM), ...perSource('PollsFailed', Stats.SUM)],
      Tickers: [...perSource('TickersFetched', Stats.SUM), ...perSource('TickersRejected', Stats.SUM)],
      'Rejected, %': perSource('RejectedShare', Stats.AVERAGE),
      'Delay and duration, ms': [
        ...perSource('SlotDelay', Stats.MAXIMUM),
        ...perSource('PollDuration', Stats.MAXIMUM),
      ],
      Failures: [
        ...perSource('CategoriesFailed', Stats.SUM),
        ...perSource('SuspiciousAnswers', Stats.SUM),
        ...functions.ingest.map(({ fn }) => fn.metricErrors({ period: PERIOD })),
      ],
    };
  }

  #stream(): Graphs {
    const { stream } = this.#props;
    const perSource = this.#perSource.bind(this);
    return {
      'Into the lake, bytes': perSource('LakeBytes', Stats.SUM),
      'Into Kafka, records': perSource('RecordsProduced', Stats.SUM),
      'Batches waiting in the lake': perSource('BatchesWaiting', Stats.MAXIMUM),
      'Lag of the index function, records': [
        stream.lag('SumOffsetLag', PERIOD),
        stream.lag('MaxOffsetLag', PERIOD),
      ],
      'Lag of the index function, s': [stream.lag('EstimatedMaxTimeLag', PERIOD)],
    };
  }

  #index(): Graphs {
    const { stage, functions } = this.#props;
    const own = (name: MetricName<'index'>, statistic: string) =>
      ownMetric('index', stage, {}, name, { statistic, period: PERIOD });
    const { fn } = functions.index;
    return {
      Documents: [own('DocumentsIndexed', Stats.SUM), own('DocumentsAlreadyThere', Stats.SUM)],
      'Refused and retried': [
        own('DeadLetters', Stats.SUM),
        own('RecordsUnstored', Stats.SUM),
        own('DocumentsRetried', Stats.SUM),
      ],
      'Age of the oldest record, ms': [own('EventAge', Stats.MAXIMUM)],
      'OpenSearch per batch, ms': [own('OpenSearchDuration', Stats.percentile(99))],
      Function: [
        fn.metricErrors({ period: PERIOD }),
        fn.metricThrottles({ period: PERIOD }),
        fn.metricDuration({ statistic: Stats.percentile(99), period: PERIOD }),
      ],
    };
  }

  #summaries(): Graphs {
    const { stage, sources, functions } = this.#props;
    const own = (name: MetricName<'summarise'>) =>
      ownMetric('summarise', stage, {}, name, { statistic: Stats.SUM, period: Duration.hours(1) });
    const markets = marketsIn(samplingIntervals({ sources }), exchangesOf({ sources }));
    return {
      'Age of the newest ticker, s': markets.map((market) =>
        ownMetric('freshness', stage, market, 'NewestTickerAge', {
          statistic: Stats.MAXIMUM,
          label: `${market.exchange} ${market.category}`,
        }),
      ),
      'Hours behind': [
        ownMetric('summaries', stage, {}, 'SummariesHoursBehind', { statistic: Stats.MAXIMUM }),
      ],
      'Hours summarised, series recomputed': [own('HoursSummarised'), own('SeriesMadeAgain')],
      'Candles and moves': [own('CandlesWritten'), own('MovesWritten')],
      Function: [
        functions.summarise.fn.metricErrors({ period: PERIOD }),
        functions.summarise.fn.metricDuration({ statistic: Stats.MAXIMUM, period: PERIOD }),
      ],
    };
  }

  #engines(): Graphs {
    const { stream, search } = this.#props;
    const domain = (metricName: string, statistic: string) => search.metric(metricName, statistic, PERIOD);
    const brokers = Array.from({ length: stream.ownBrokers }, (_, n) => `${n + 1}`);
    const broker = (metricName: string): Metrics =>
      brokers.map(
        (id) =>
          new cloudwatch.Metric({
            namespace: 'AWS/Kafka',
            metricName,
            dimensionsMap: { 'Cluster Name': stream.clusterName, 'Broker ID': id },
            statistic: Stats.AVERAGE,
            period: PERIOD,
            label: `broker ${id} ${metricName}`,
          }),
      );
    return {
      'OpenSearch: red, yellow, blocked': [
        domain('ClusterStatus.red', Stats.MAXIMUM),
        domain('ClusterStatus.yellow', Stats.MAXIMUM),
        domain('ClusterIndexWritesBlocked', Stats.MAXIMUM),
      ],
      'OpenSearch: free storage, MiB': [domain('FreeStorageSpace', Stats.MINIMUM)],
      'OpenSearch: CPU and heap, %': [
        domain('CPUUtilization', Stats.MAXIMUM),
        domain('JVMMemoryPressure', Stats.MAXIMUM),
      ],
      'OpenSearch: writes queued and rejected': [
        domain('ThreadpoolWriteQueue', Stats.AVERAGE),
        domain('ThreadpoolWriteRejected', Stats.SUM),
      ],
      // The brokers of an existing cluster are its owner's concern.
      ...(brokers.length > 0
        ? {
            'Kafka: CPU and disk, %': [
              ...broker('CpuUser'),
              ...broker('CpuSystem'),
              ...broker('KafkaDataLogsDiskUsed'),
            ],
          }
        : {}),
    };
  }

  #perSource(metricName: MetricName<'ingest'>, statistic: string): Metrics {
    const { stage, sources } = this.#props;
    return sources.map(({ name: source, exchange }) =>
      ownMetric('ingest', stage, { exchange, source }, metricName, {
        statistic,
        period: PERIOD,
        label: `${source} ${metricName}`,
      }),
    );
  }

  #errors(): cloudwatch.IWidget[] {
    const logGroupNames = this.#props.every.map(({ fn }) => fn.logGroup.logGroupName);
    const latest = (title: string, width: number, ...query: [fields: string, filter: string]) =>
      new cloudwatch.LogQueryWidget({
        title,
        logGroupNames,
        queryLines: [...query, 'sort @timestamp desc', 'limit 50'],
        width,
        height: 8,
      });
    return [
      latest(
        'Latest errors',
        14,
        'fields @timestamp, service, message, error.name, error.message, errorMessage',
        'filter level in ["ERROR", "CRITICAL", "FATAL"]',
      ),
      latest(
        'Functions stopped by a timeout or out of memory',
        10,
        'fields @timestamp, @log, record.status, record.errorType, record.metrics.durationMs, record.metrics.maxMemoryUsedMB',
        'filter type = "platform.report" and record.status != "success"',
      ),
    ];
  }
}

/** @param width of the dashboard's 24 columns */
function columnOf(title: string, width: number, graphs: Graphs): cloudwatch.Column {
  const heading = new cloudwatch.TextWidget({
    markdown: `## ${title}`,
    width,
    height: 1,
    background: cloudwatch.TextWidgetBackground.TRANSPARENT,
  });
  const widgets = Object.entries(graphs).map(
    ([title, left]) =>
      new cloudwatch.GraphWidget({ title, left, width, height: HEIGHT, leftYAxis: { min: 0 } }),
  );
  return new cloudwatch.Column(heading, ...widgets);
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) =>
    items.slice(n * size, (n + 1) * size),
  );
}
