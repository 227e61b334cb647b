import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { Bastion } from '../bastion/bastion.ts';
import { Compactor } from '../compact/compactor.ts';
import type { StageConfig } from '../config/stage-config.ts';
import { AccountConcurrency } from '../functions/account-concurrency.ts';
import { PipelineFunction } from '../functions/pipeline-function.ts';
import { Schedules } from '../functions/schedules.ts';
import { Indexer } from '../index/indexer.ts';
import { Polls } from '../ingest/polls.ts';
import { Insights } from '../insights/insights.ts';
import { alarmsIn } from '../monitoring/alarm.ts';
import { DataNotArriving } from '../monitoring/data-not-arriving.ts';
import { OperationsDashboard } from '../monitoring/operations-dashboard.ts';
import { TrailAlarms } from '../monitoring/trail-alarms.ts';
import { CandleFetcher } from '../operate/candle-fetcher.ts';
import { Operator } from '../operate/operator.ts';
import { Setup } from '../setup/setup.ts';
import { Summariser } from '../summarise/summariser.ts';
import { Watch } from '../watch/watch.ts';
import { SourceStack } from './source-stack.ts';
import type { StatefulStack } from './stateful-stack.ts';

export interface StatelessStackProps extends StackProps {
  readonly config: StageConfig;
  readonly stateful: StatefulStack;
}

/** The functions, their schedules and monitoring; can be removed and deployed again at any time. */
export class StatelessStack extends Stack {
  /** In the order of the configuration. */
  readonly sources: readonly SourceStack[];
  readonly indexer: Indexer;
  readonly summariser: Summariser;
  readonly insights: Insights;
  readonly operator: Operator;
  readonly candleFetcher: CandleFetcher;
  readonly compactor: Compactor;
  readonly watch: Watch;
  readonly setup: Setup;

  constructor(scope: Construct, id: string, { config, stateful, ...stackProps }: StatelessStackProps) {
    super(scope, id, stackProps);
    const { lake, stream, search, notifications, logs } = stateful;
    const { vpc } = stateful.network;
    const { key } = stateful.dataKey;

    const internet = new ec2.SecurityGroup(this, 'World', {
      vpc,
      // Changing it would replace the group.
      description: 'The way out to exchanges and to AWS',
      allowAllOutbound: false,
    });
    internet.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'HTTPS to exchanges and AWS');

    const { stage, sources, functions: sizes, reservedConcurrency } = config;
    const { moveThresholds } = config.summarise;
    const { tickDays } = config.retention;
    const schedules = new Schedules(this, 'Schedules', { notifications, stage });
    const common = { stage, vpc, internet, logs, reservedConcurrency };
    const watched = { ...common, notifications };
    const scheduled = { ...watched, schedules };
    const polls = new Polls(this, 'Polls', { logs, notifications });
    this.sources = sources.map(
      (source) =>
        new SourceStack(this, `Source-${source.name}`, {
          ...scheduled,
          size: sizes.ingest,
          source,
          tickDays,
          lake,
          stream,
          polls,
        }),
    );
    this.indexer = new Indexer(this, 'Indexer', {
      ...watched,
      size: sizes.index,
      polling: config.index,
      lake,
      stream,
      search,
    });
    this.summariser = new Summariser(this, 'Summariser', {
      ...scheduled,
      size: sizes.summarise,
      sources,
      moveThresholds,
      tickDays,
      search,
    });
    this.watch = new Watch(this, 'Watch', { ...scheduled, size: sizes.watch, sources, search });
    this.insights = new Insights(this, 'Insights', { ...common, size: sizes.insights, sources, search });
    this.operator = new Operator(this, 'Operator', {
      ...scheduled,
      size: sizes.operate,
      sources,
      moveThresholds,
      batchWindowSeconds: config.index.batchWindowSeconds,
      repairGaps: config.repairGaps,
      lake,
      stream,
      search,
    });
    this.candleFetcher = new CandleFetcher(this, 'CandleFetcher', { ...common, size: sizes.operate, lake });
    this.compactor = new Compactor(this, 'Compactor', {
      ...scheduled,
      size: sizes.compact,
      sources,
      moveThresholds,
      lake,
    });
    this.setup = new Setup(this, 'Setup', {
      ...common,
      indices: config.search.indices,
      lake,
      search,
      functions: {
        index: this.indexer.function,
        summarise: this.summariser.function,
        insights: this.insights.function,
        operate: this.operator.function,
        watch: this.watch.function,
      },
    });
    // A month's first ticker creates its index, so the template must exist before.
    this.indexer.mapping.node.addDependency(this.setup);

    const { trailLogGroup } = config.alarms;
    if (trailLogGroup) {
      const { masterSecret } = search;
      const { role: setupRole } = this.setup.function;
      const watchedTrail = { trailLogGroup, masterSecret, setupRole, lake: lake.bucket };
      new TrailAlarms(this, 'TrailAlarms', { ...watchedTrail, notifications, stage });
    }
    new AccountConcurrency(this, 'AccountConcurrency', {
      notifications,
      quota: config.alarms.concurrencyQuota,
    });
    const alarms = [...alarmsIn(stateful), ...alarmsIn(this)];
    const page = new DataNotArriving(this, 'DataNotArriving', { notifications, stage, alarms });
    const dashboard = new OperationsDashboard(this, 'OperationsDashboard', {
      stage,
      stream,
      search,
      functions: {
        index: this.indexer.function,
        summarise: this.summariser.function,
      },
      every: this.node.findAll().filter((each) => each instanceof PipelineFunction),
      alarms,
      page,
    });

    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    const functionOutput = (name: string, { fn }: PipelineFunction, description: string) =>
      output(`${name}FunctionName`, fn.functionName, description);
    for (const [position, { name }] of sources.entries()) {
      functionOutput(
        `${pascalCase(name)}Ingest`,
        (this.sources[position] as SourceStack).ingest.function,
        `Polls ${name}`,
      );
    }
    functionOutput('Index', this.indexer.function, 'Indexes tickers from the stream');
    functionOutput('Summarise', this.summariser.function, 'Computes candles and moves');
    functionOutput('Insights', this.insights.function, 'Answers questions');
    functionOutput('Operate', this.operator.function, "Runs operators' commands");
    functionOutput('CandlesCcxt', this.candleFetcher.function, 'Fetches candles through ccxt for backfill');
    functionOutput('Compact', this.compactor.function, 'Makes Parquet of closed days');
    functionOutput('Watch', this.watch.function, 'Watches how fresh the data is');
    functionOutput('Setup', this.setup.function, 'Installs templates, roles and dashboards in OpenSearch');
    output('OperationsDashboardUrl', dashboard.url, 'Data flow, alarms and latest errors');
    output(
      'FirstQuestion',
      `npm run insights -- average BTC --over 1h --stage ${stage}`,
      'Has an answer a few minutes after the deployment',
    );
    if (config.bastion) {
      const bastion = new Bastion(this, 'Bastion', { vpc, key, search, internet });
      output('BastionInstanceId', bastion.instance.instanceId, 'Forwards a port to Dashboards: docs/aws.md');
    }
  }
}

function pascalCase(name: string): string {
  return name.replace(/(^|-)([a-z0-9])/g, (_, __, letter: string) => letter.toUpperCase());
}
