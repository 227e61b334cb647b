import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { Bastion } from '../bastion/bastion.ts';
import type { StageConfig } from '../config/stage-config.ts';
import { AccountConcurrency } from '../functions/account-concurrency.ts';
import { PipelineFunction } from '../functions/pipeline-function.ts';
import { Schedules } from '../functions/schedules.ts';
import { Indexer } from '../index/indexer.ts';
import { Ingest } from '../ingest/ingest.ts';
import { Insights } from '../insights/insights.ts';
import { alarmsIn } from '../monitoring/alarm.ts';
import { DataNotArriving } from '../monitoring/data-not-arriving.ts';
import { OperationsDashboard } from '../monitoring/operations-dashboard.ts';
import { CandleFetcher } from '../operate/candle-fetcher.ts';
import { Operator } from '../operate/operator.ts';
import { Setup } from '../setup/setup.ts';
import { Summariser } from '../summarise/summariser.ts';
import { Watch } from '../watch/watch.ts';
import type { StatefulStack } from './stateful-stack.ts';

export interface StatelessStackProps extends StackProps {
  readonly config: StageConfig;
  readonly stateful: StatefulStack;
}

/** What works with the data, and watches that it does: it can be removed and made again at any time. */
export class StatelessStack extends Stack {
  readonly ingests: readonly Ingest[];
  readonly indexer: Indexer;
  readonly summariser: Summariser;
  readonly insights: Insights;
  readonly operator: Operator;
  readonly candleFetcher: CandleFetcher;
  readonly watch: Watch;
  readonly setup: Setup;

  constructor(scope: Construct, id: string, { config, stateful, ...stackProps }: StatelessStackProps) {
    super(scope, id, stackProps);
    const { lake, stream, search, notifications } = stateful;
    const { vpc } = stateful.network;
    const { key } = stateful.dataKey;

    const world = new ec2.SecurityGroup(this, 'World', {
      vpc,
      description: 'The way out to exchanges and to AWS',
      allowAllOutbound: false,
    });
    world.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'HTTPS to exchanges and to AWS');

    const { stage } = config;
    const schedules = new Schedules(this, 'Schedules', { notifications, stage });
    const common = { config, vpc, key, world };
    const watched = { ...common, schedules, notifications };
    this.ingests = config.sources.map(
      (source) => new Ingest(this, `Ingest-${source.name}`, { ...watched, source, lake, stream }),
    );
    this.indexer = new Indexer(this, 'Indexer', { ...watched, lake, stream, search });
    this.summariser = new Summariser(this, 'Summariser', { ...watched, search });
    this.watch = new Watch(this, 'Watch', { ...watched, search });
    this.insights = new Insights(this, 'Insights', { ...common, search });
    this.operator = new Operator(this, 'Operator', { ...common, lake, stream, search });
    this.candleFetcher = new CandleFetcher(this, 'CandleFetcher', { ...common, lake });
    this.setup = new Setup(this, 'Setup', {
      ...common,
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

    new AccountConcurrency(this, 'AccountConcurrency', {
      notifications,
      quota: config.alarms.concurrencyQuota,
    });
    const alarms = [...alarmsIn(stateful), ...alarmsIn(this)];
    const page = new DataNotArriving(this, 'DataNotArriving', { notifications, stage, alarms });
    const dashboard = new OperationsDashboard(this, 'OperationsDashboard', {
      config,
      stream,
      search,
      functions: {
        ingest: this.ingests.map((each) => each.function),
        index: this.indexer.function,
        summarise: this.summariser.function,
      },
      every: this.node.findAll().filter((each) => each instanceof PipelineFunction),
      alarms,
      page,
    });

    // A month's index is made by its first ticker: the template has to be there before.
    this.indexer.mapping.node.addDependency(this.setup);

    const output = (name: string, value: string, description: string) =>
      new CfnOutput(this, name, { value, description });
    for (const [position, { name }] of config.sources.entries()) {
      const { fn } = (this.ingests[position] as Ingest).function;
      output(`${pascalCase(name)}IngestFunctionName`, fn.functionName, `Polls ${name}`);
    }
    output('IndexFunctionName', this.indexer.function.fn.functionName, 'Indexes tickers from the stream');
    output('SummariseFunctionName', this.summariser.function.fn.functionName, 'Makes candles and moves');
    output('InsightsFunctionName', this.insights.function.fn.functionName, 'Answers questions');
    output('OperateFunctionName', this.operator.function.fn.functionName, "Does operators' commands");
    output(
      'CandlesCcxtFunctionName',
      this.candleFetcher.function.fn.functionName,
      'Fetches candles through ccxt for backfill',
    );
    output('WatchFunctionName', this.watch.function.fn.functionName, 'Watches how fresh the data is');
    output('OperationsDashboardUrl', dashboard.url, 'The way of the data, the alarms and the last errors');
    output(
      'SetupFunctionName',
      this.setup.function.fn.functionName,
      'Puts templates, roles and dashboards into OpenSearch',
    );
    output(
      'FirstQuestion',
      `npm run insights -- average BTCUSDT --over 1h --stage ${stage}`,
      'Has an answer a few minutes after the deployment',
    );
    if (config.bastion) {
      const bastion = new Bastion(this, 'Bastion', { vpc, key, search, world });
      output('BastionInstanceId', bastion.instance.instanceId, 'Forwards a port to Dashboards: docs/aws.md');
    }
  }
}

function pascalCase(name: string): string {
  return name.replace(/(^|-)([a-z0-9])/g, (_, __, letter: string) => letter.toUpperCase());
}
