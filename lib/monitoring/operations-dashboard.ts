import { Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import {
  METRIC_GROUPS,
  METRICS_NAMESPACE,
  type MetricGroup,
  type MetricName,
} from '../../core/runtime/metrics.ts';
import type { PipelineFunction } from '../functions/pipeline-function.ts';
import type { Search } from '../search/domain.ts';
import type { Stream } from '../stream/stream.ts';
import { doctorCommand, type PipelineAlarm } from './alarm.ts';
import { chunksOf } from './chunks.ts';
import type { DataNotArriving } from './data-not-arriving.ts';
import { ownMetric } from './metrics.ts';

export interface OperationsDashboardProps {
  readonly stage: string;
  readonly stream: Stream;
  readonly search: Search;
  readonly functions: {
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
      ...chunksOf([page.alarm, ...severe.map(known)], MAX_ALARMS_PER_WIDGET).map(
        (some) =>
          new cloudwatch.AlarmStatusWidget({
            title: 'Pages someone, and why',
            alarms: some,
            width: 24,
            height: height(some.length, 4),
          }),
      ),
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
    return {
      'Polls by source': [this.#bySource('PollsSucceeded', Stats.SUM)],
      'Tickers of all sources': this.#polls(Stats.SUM, 'TickersFetched'),
      'Rejected by source, %': [this.#bySource('RejectedShare', Stats.AVERAGE)],
      'Duration of polls, ms': [
        ...this.#polls(Stats.MAXIMUM, 'PollDuration'),
        ...this.#polls(Stats.AVERAGE, 'PollDuration'),
      ],
      'Failures by source': (['PollsFailed', 'CategoriesFailed', 'SuspiciousAnswers'] as const).map((name) =>
        this.#bySource(name, Stats.SUM),
      ),
    };
  }

  #stream(): Graphs {
    const { stage, stream } = this.#props;
    return {
      'Into the lake, bytes': this.#polls(Stats.SUM, 'LakeBytes'),
      'Into Kafka, records': this.#polls(Stats.SUM, 'RecordsProduced'),
      'Batches waiting in the lake, by source': [this.#bySource('BatchesWaiting', Stats.MAXIMUM)],
      'Parquet files written, and due': (['FilesWritten', 'FilesDue'] as const).map((name) =>
        ownMetric('compact', stage, {}, name, { statistic: Stats.MAXIMUM, period: Duration.hours(1) }),
      ),
      'Lag of the index function, records': [
        stream.lag('SumOffsetLag', PERIOD),
        stream.lag('MaxOffsetLag', PERIOD),
      ],
      'Lag of the index function, s': [stream.lag('EstimatedMaxTimeLag', PERIOD)],
    };
  }

  #index(): Graphs {
    const { stage, functions } = this.#props;
    const own = (statistic: string, ...names: MetricName<'index'>[]) =>
      names.map((name) => ownMetric('index', stage, {}, name, { statistic, period: PERIOD }));
    const redrive = (name: MetricName<'redrive'>, statistic: string) =>
      ownMetric('redrive', stage, {}, name, { statistic, period: PERIOD });
    const { fn } = functions.index;
    return {
      Documents: own(Stats.SUM, 'DocumentsIndexed', 'DocumentsAlreadyThere'),
      'Refused and retried': own(Stats.SUM, 'DeadLetters', 'RecordsUnstored', 'DocumentsRetried'),
      'Given up, waiting and redriven': [
        redrive('BatchesToRedrive', Stats.MAXIMUM),
        redrive('RecordsRedriven', Stats.SUM),
      ],
      'Age of the oldest record, ms': own(Stats.MAXIMUM, 'EventAge'),
      'OpenSearch per batch, ms': own(Stats.percentile(99), 'OpenSearchDuration'),
      Function: [
        fn.metricErrors({ period: PERIOD }),
        fn.metricThrottles({ period: PERIOD }),
        fn.metricDuration({ statistic: Stats.percentile(99), period: PERIOD }),
      ],
    };
  }

  #summaries(): Graphs {
    const { stage, functions } = this.#props;
    const hourly = { statistic: Stats.SUM, period: Duration.hours(1) };
    const own = (...names: MetricName<'summarise'>[]) =>
      names.map((name) => ownMetric('summarise', stage, {}, name, hourly));
    const watched = (name: MetricName<'watch'>) =>
      ownMetric('watch', stage, {}, name, { statistic: Stats.MAXIMUM });
    return {
      'Age of the newest ticker, s, where it is oldest': [watched('OldestTickerAge')],
      'Stale categories by exchange': [this.#search('freshness', 'StaleCategories', Stats.MAXIMUM)],
      'Hours behind': [watched('SummariesHoursBehind')],
      'Hours summarised, series recomputed': own('HoursSummarised', 'SeriesMadeAgain'),
      'Candles and moves': own('CandlesWritten', 'MovesWritten'),
      Function: [
        functions.summarise.fn.metricErrors({ period: PERIOD }),
        functions.summarise.fn.metricDuration({ statistic: Stats.MAXIMUM, period: PERIOD }),
      ],
    };
  }

  #engines(): Graphs {
    const { stream, search } = this.#props;
    const domain = (statistic: string, ...names: string[]) =>
      names.map((name) => search.metric(name, statistic, PERIOD));
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
    const ofBrokers = ['CpuUser', 'CpuSystem', 'KafkaDataLogsDiskUsed'].flatMap(broker);
    return {
      'OpenSearch: red, yellow, blocked': domain(
        Stats.MAXIMUM,
        'ClusterStatus.red',
        'ClusterStatus.yellow',
        'ClusterIndexWritesBlocked',
      ),
      'OpenSearch: free storage, MiB': domain(Stats.MINIMUM, 'FreeStorageSpace'),
      'OpenSearch: CPU and heap, %': domain(Stats.MAXIMUM, 'CPUUtilization', 'JVMMemoryPressure'),
      'OpenSearch: writes queued and rejected': [
        ...domain(Stats.AVERAGE, 'ThreadpoolWriteQueue'),
        ...domain(Stats.SUM, 'ThreadpoolWriteRejected'),
      ],
      // The brokers of an existing cluster are its owner's concern.
      ...(ofBrokers.length > 0 ? { 'Kafka: CPU and disk, %': ofBrokers } : {}),
    };
  }

  /** What polls emit for the whole stage. */
  #polls(statistic: string, ...names: MetricName<'ingest'>[]): Metrics {
    const { stage } = this.#props;
    return names.map((name) =>
      ownMetric('ingest', stage, { source: '' }, name, { statistic, period: PERIOD }),
    );
  }

  /** A line for each source. */
  #bySource(name: MetricName<'ingest'>, statistic: string): cloudwatch.IMetric {
    return this.#search('ingest', name, statistic);
  }

  /**
   * A line for each value of the group's dimension that was emitted in the last two weeks: a list of metrics would grow
   * with the sources, and a widget has 500 at most.
   * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
   */
  #search<Group extends MetricGroup>(group: Group, name: MetricName<Group>, statistic: string) {
    const dimensions = ['service', 'stage', ...METRIC_GROUPS[group].dimensions].join(',');
    const found = `{${METRICS_NAMESPACE},${dimensions}} MetricName="${name}" service="${group}" stage="${this.#props.stage}"`;
    return new cloudwatch.MathExpression({
      expression: `SEARCH('${found}', '${statistic}', ${PERIOD.toSeconds()})`,
      label: `${name} \${PROP('Dim.${METRIC_GROUPS[group].dimensions[0]}')}`,
      period: PERIOD,
    });
  }

  #errors(): cloudwatch.IWidget[] {
    const logGroupNames = [...new Set(this.#props.every.map(({ fn }) => fn.logGroup.logGroupName))];
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
