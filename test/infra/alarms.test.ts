import { readFileSync } from 'node:fs';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { METRICS_NAMESPACE } from '../../core/runtime/metrics.ts';
import { exchangesOf } from '../../lib/config/derived.ts';
import type { StageConfig } from '../../lib/config/stage-config.ts';
import { STAGE_NAMES, type StageName, stageConfig } from '../../lib/config/stages.ts';
import { alarmsIn } from '../../lib/monitoring/alarm.ts';
import {
  type AlarmProperties,
  aboutMetric,
  complaintsAbout,
  metricsOf,
  type WatchedMetric,
} from './alarm-checks.ts';
import { runbookSections, wrongCommandsIn } from './runbook.ts';
import { buildApp, builtApp, bybit, replica, synthesise } from './synthesised.ts';

type Part = 'stateful' | 'stateless';
interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
}

const THEIRS = 'arn:aws:kafka:eu-central-1:111122223333:cluster/theirs/0f0f-1';
/** Both stages, other brokers, an existing cluster, and sources with different intervals. */
const CASES: [title: string, stage: StageName, settings: object][] = [
  ['dev', 'dev', {}],
  ['prod', 'prod', {}],
  ['dev on burstable brokers', 'dev', { stream: { instanceType: 'kafka.t3.small' } }],
  ['dev on an existing cluster', 'dev', { stream: { existing: { clusterArn: THEIRS } } }],
  [
    'dev with sources of one minute and of an hour, a replica of the lake and a trail',
    'dev',
    {
      lake: { replica },
      alarms: { trailLogGroup: 'my-trail' },
      sources: [
        { ...bybit, samplingIntervalMinutes: 1, categories: ['spot'] },
        { ...bybit, name: 'bybit-linear', samplingIntervalMinutes: 60, categories: ['linear'] },
        {
          name: 'gate',
          exchange: 'gate',
          api: 'ccxt:gate',
          categories: ['spot'],
          samplingIntervalMinutes: 5,
        },
      ],
      functions: { ingest: { timeoutSeconds: 45 } },
    },
  ],
];

function synthesiseAlarms(stage: StageName, settings: object) {
  const built = builtApp(stage, { ...settings });
  const templates = synthesise(stage, { ...settings });
  const resources = Object.fromEntries(
    Object.entries(templates).map(([part, template]) => [part, template.toJSON().Resources]),
  ) as Record<Part, Record<string, Resource>>;
  const alarms = (Object.entries(resources) as [Part, Record<string, Resource>][]).flatMap(([part, all]) =>
    Object.values(all)
      .filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
      .map(({ Properties }) => ({ part, alarm: Properties as unknown as AlarmProperties })),
  );
  const [composite] = Object.values(resources.stateless).filter(
    ({ Type, Properties }) => Type === 'AWS::CloudWatch::CompositeAlarm' && Properties.AlarmActions,
  );
  return {
    config: stageConfig(stage, { ...settings }),
    resources,
    alarms,
    composite: composite?.Properties as unknown as AlarmProperties & { AlarmRule: unknown },
    constructs: [...alarmsIn(built.stateful), ...alarmsIn(built.stateless)],
  };
}

/** A text of a template, with references replaced by their names. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const join = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'];
  if (join) return join[1].map(textOf).join(join[0]);
  const select = (value as { 'Fn::Select'?: [number, { 'Fn::Split': [string, unknown] }] })['Fn::Select'];
  if (select) return textOf(select[1]['Fn::Split'][1]);
  const [name] = Object.values(value as Record<string, string | string[]>).flat();
  return String(name);
}

const sections = new Map(runbookSections().map((section) => [section.anchor, section]));
const anchorOf = (description: string) => /\nThen: docs\/runbook\.md#([\w-]+)$/.exec(description)?.[1] ?? '';

describe.each(CASES)('every alarm of %s', (_, stage, settings) => {
  const { config, resources, alarms, composite, constructs } = synthesiseAlarms(stage, settings);

  it('watches a metric that is emitted with these dimensions, at least once per period', () => {
    const complaints = alarms.flatMap(({ alarm }) =>
      complaintsAbout(alarm, config).map((complaint) => `${alarm.AlarmName}: ${complaint}`),
    );
    expect(complaints).toEqual([]);
  });

  it('watches resources of this template', () => {
    for (const { part, alarm } of alarms) {
      for (const { dimensions } of metricsOf(alarm)) {
        for (const [name, value] of Object.entries(dimensions)) {
          expect(
            isMadeHere(name, value, resources, part, config),
            `${alarm.AlarmName}: ${name} ${textOf(value)}`,
          ).toBe(true);
        }
      }
    }
  });

  it('notifies *notices* when it starts and ends; only the composite alarm pages', () => {
    for (const { alarm } of alarms) {
      expect(alarm.AlarmActions?.map(textOf), alarm.AlarmName).toEqual([expect.stringContaining('Notices')]);
      expect(alarm.OKActions, alarm.AlarmName).toEqual(alarm.AlarmActions);
    }
    expect(composite.AlarmActions?.map(textOf)).toEqual([expect.stringContaining('Pages')]);
    expect(composite.OKActions).toEqual(composite.AlarmActions);
    const members = [...textOf(composite.AlarmRule).matchAll(/ALARM\("[^"]*:alarm:([^"]+)"\)/g)].map(
      ([, name]) => name,
    );
    expect(members.sort()).toEqual(
      constructs
        .filter(({ severity }) => severity === 'page')
        .map(({ alarmName }) => alarmName)
        .sort(),
    );
    expect(members.length).toBeGreaterThan(4);
  });

  it('treats missing heartbeats as breaching', () => {
    const silence = (name: string) =>
      alarms
        .filter(({ alarm }) => alarm.Namespace === METRICS_NAMESPACE && alarm.MetricName === name)
        .map(({ alarm }) => alarm.TreatMissingData);
    expect(silence('PollsSucceeded')).toEqual(config.sources.map(() => 'breaching'));
    expect(silence('Looks')).toEqual(['breaching']);
    expect(silence('StaleCategories')).toHaveLength(exchangesOf(config).length);
  });

  it('says what it means, what to type first and where to read on', async () => {
    for (const { AlarmName, AlarmDescription } of [...alarms.map(({ alarm }) => alarm), composite]) {
      const description = textOf(AlarmDescription);
      expect(description, AlarmName).toMatch(
        /^[^\n]+\. [^\n]+\.\nFirst: [^\n]+\nThen: docs\/runbook\.md#[\w-]+$/,
      );
      // CloudWatch's limit; names that CloudFormation fills in are longer than their references.
      expect(description.length, AlarmName).toBeLessThan(800);
      expect(sections.has(anchorOf(description)), `${AlarmName}: ${anchorOf(description)}`).toBe(true);
      expect(await wrongCommandsIn(description), AlarmName).toEqual([]);
    }
  });

  it('has a name of its own, short enough for CloudWatch', () => {
    const names = alarms.map(({ alarm }) => alarm.AlarmName);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name.length, name).toBeLessThanOrEqual(255);
  });
});

/** Whether a dimension's value belongs to a resource of the same deployment. */
function isMadeHere(
  name: string,
  value: unknown,
  resources: Record<Part, Record<string, Resource>>,
  part: Part,
  { stage, sources, stream }: StageConfig,
): boolean {
  const isA = (type: string, in_: Part) => resources[in_][textOf(value)]?.Type === type;
  const all = Object.values({ ...resources.stateful, ...resources.stateless });
  const propertyOf = (type: string, property: string) =>
    all.filter(({ Type }) => Type === type).map(({ Properties }) => Properties[property]);
  switch (name) {
    case 'FunctionName':
      return isA('AWS::Lambda::Function', part);
    case 'QueueName':
      return isA('AWS::SQS::Queue', part);
    case 'DomainName':
      return isA('AWS::OpenSearchService::Domain', part);
    case 'ClientId':
      return textOf(value) === 'AWS::AccountId';
    case 'ScheduleGroup': {
      const groups = propertyOf('AWS::Scheduler::ScheduleGroup', 'Name');
      const groupsOfSchedules = propertyOf('AWS::Scheduler::Schedule', 'GroupName');
      return groups.includes(value) && groupsOfSchedules.every((group) => group === value);
    }
    case 'Cluster Name':
      return (
        // Part of the ARN, which the other stack exports under a name with the cluster's own.
        /StreamBrokersCluster[0-9A-F]{8}/.test(textOf(value)) ||
        stream.existing?.clusterArn.split('/')[1] === value
      );
    case 'Broker ID':
      return Number(value) >= 1 && Number(value) <= stream.brokers;
    case 'Topic':
      return propertyOf('AWS::MSK::Topic', 'TopicName').includes(value);
    case 'Consumer Group': {
      const [config] = propertyOf('AWS::Lambda::EventSourceMapping', 'AmazonManagedKafkaEventSourceConfig');
      return (config as { ConsumerGroupId: string }).ConsumerGroupId === value;
    }
    case 'BucketName':
      return textOf(value).includes('LakeBucket');
    case 'FilterId':
      return propertyOf('AWS::S3::Bucket', 'MetricsConfigurations').some((each) =>
        (each as { Id: string; Prefix: string }[] | undefined)?.some(
          ({ Id, Prefix }) => Id === value && Prefix === 'aws/lambda/',
        ),
      );
    case 'SourceBucket':
      return textOf(value).includes('LakeBucket');
    case 'DestinationBucket':
    case 'RuleId': {
      const [replication] = propertyOf('AWS::S3::Bucket', 'ReplicationConfiguration').filter(Boolean);
      const { Rules } = replication as { Rules: { Id: string; Destination: { Bucket: string } }[] };
      return Rules.some(({ Id, Destination }) => Id === value || Destination.Bucket.endsWith(`:${value}`));
    }
    case 'service':
      return true;
    case 'stage':
      return value === stage;
    case 'source':
      return sources.some((source) => source.name === value);
    case 'exchange':
      return sources.some(({ exchange }) => exchange === value);
    default:
      return false;
  }
}

describe('an alarm that can never fire is detected', () => {
  const config = stageConfig('dev', { sources: [bybit] });
  const heartbeat: AlarmProperties = {
    AlarmName: 'heartbeat',
    AlarmDescription: '',
    Namespace: METRICS_NAMESPACE,
    MetricName: 'PollsSucceeded',
    Dimensions: Object.entries({ service: 'ingest', stage: 'dev', source: 'bybit' }).map(([Name, Value]) => ({
      Name,
      Value,
    })),
    Statistic: 'Sum',
    Period: 120,
    EvaluationPeriods: 3,
    TreatMissingData: 'breaching',
  };
  const kafka = (
    name: string,
    dimensions: Record<string, string>,
    statistic = 'Maximum',
  ): AlarmProperties => ({
    ...heartbeat,
    Namespace: 'AWS/Kafka',
    MetricName: name,
    Statistic: statistic,
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
  });

  it('and one that can fire is accepted', () => {
    expect(complaintsAbout(heartbeat, config)).toEqual([]);
  });

  it.each<[string, AlarmProperties, string]>([
    [
      'own metric, wrong name',
      { ...heartbeat, MetricName: 'PollSucceeded' },
      'no function emits PollSucceeded',
    ],
    [
      'own metric, missing dimension',
      { ...heartbeat, Dimensions: heartbeat.Dimensions?.slice(0, 2) ?? [] },
      'PollsSucceeded is not emitted with {"service":"ingest","stage":"dev"}',
    ],
    [
      'a metric of trouble whose absence counts as trouble',
      { ...heartbeat, MetricName: 'CategoriesFailed' },
      'CategoriesFailed is missing while all is well',
    ],
    [
      'AWS metric, wrong name',
      kafka('OfflinePartitions', { 'Cluster Name': 'c' }),
      'AWS/Kafka has no OfflinePartitions',
    ],
    [
      'AWS metric, misspelled dimension',
      kafka('OfflinePartitionsCount', { ClusterName: 'c' }),
      'OfflinePartitionsCount does not come by ClusterName',
    ],
    [
      'AWS metric, by cluster instead of by broker',
      kafka('KafkaDataLogsDiskUsed', { 'Cluster Name': 'c' }),
      'KafkaDataLogsDiskUsed does not come by Cluster Name',
    ],
    [
      'a monitoring level that the stage does not have',
      kafka('IAMTooManyConnections', { 'Cluster Name': 'c', 'Broker ID': '1' }),
      'IAMTooManyConnections is not emitted at the monitoring level DEFAULT',
    ],
    [
      'a meaningless statistic',
      kafka('OfflinePartitionsCount', { 'Cluster Name': 'c' }, 'Minimum'),
      'Minimum of OfflinePartitionsCount says nothing',
    ],
    [
      'a period shorter than the interval',
      { ...heartbeat, Period: 60 },
      'PollsSucceeded comes every 120 s: periods of 60 s are empty in between',
    ],
    [
      'a single datapoint',
      { ...heartbeat, EvaluationPeriods: 1 },
      'one datapoint of PollsSucceeded is enough: it flaps',
    ],
    [
      'a longer range than CloudWatch evaluates',
      { ...heartbeat, Period: 1_800, EvaluationPeriods: 49 },
      '49 periods of 1800 s are more than CloudWatch looks back',
    ],
  ])('%s', (_, alarm, complaint) => {
    expect(complaintsAbout(alarm, config)).toEqual([complaint]);
  });

  it('missing data not considered', () => {
    const { TreatMissingData: _, ...silent } = heartbeat;
    expect(complaintsAbout(silent, config)).toEqual(['treatment of missing data is not set']);
  });
});

describe('an alarm by broker', () => {
  const { alarms } = synthesiseAlarms('prod', {});

  it.each([['KafkaDataLogsDiskUsed'], ['UnderMinIsrPartitionCount'], ['UnderReplicatedPartitions']])(
    '%s is there for each',
    (name) => {
      const brokers = alarms
        .flatMap(({ alarm }) => metricsOf(alarm))
        .filter((metric) => metric.name === name)
        .map(({ dimensions }) => dimensions['Broker ID']);
      expect(brokers).toEqual(['1', '2', '3']);
    },
  );
});

describe('the alarm for a yellow domain', () => {
  it.each([
    ['dev', []],
    ['prod', ['crypto-market-insights-prod-stateful-Search-Alarms-Yellow']],
  ] as const)('%s', (stage, names) => {
    const yellow = synthesiseAlarms(stage, {}).alarms.filter(
      ({ alarm }) => alarm.MetricName === 'ClusterStatus.yellow',
    );
    expect(yellow.map(({ alarm }) => alarm.AlarmName)).toEqual(names);
  });
});

describe('the runbook', () => {
  const linked = new Set(
    CASES.flatMap(([, stage, settings]) => {
      const { alarms, composite } = synthesiseAlarms(stage, settings);
      return [...alarms.map(({ alarm }) => alarm), composite].map(({ AlarmDescription }) =>
        anchorOf(textOf(AlarmDescription)),
      );
    }),
  );

  it('has for each alarm what users see, where to look, how to fix it and how to verify the fix', () => {
    for (const anchor of linked) {
      const { text = '' } = sections.get(anchor) ?? {};
      const parts = [...text.matchAll(/^\*\*(\w+)\.\*\*/gm)].map(([, part]) => part);
      expect([anchor, ...parts]).toEqual([anchor, 'Users', 'Look', 'Fix', 'Verify']);
    }
  });

  it('has no section for an alarm that does not exist', () => {
    const ofAlarms = [...sections.values()].filter(({ text }) => /^\*\*Users\.\*\*/m.test(text));
    expect(ofAlarms.map(({ anchor }) => anchor).filter((anchor) => !linked.has(anchor))).toEqual([]);
  });

  it('names only commands and options that exist', async () => {
    for (const { title, text } of sections.values()) expect(await wrongCommandsIn(text), title).toEqual([]);
    expect(await wrongCommandsIn(readFileSync('docs/incidents.md', 'utf8'))).toEqual([]);
  });

  it('links to sections that exist', () => {
    for (const { title, text } of sections.values()) {
      const links = [...text.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor = '']) => anchor);
      expect(
        links.filter((anchor) => !sections.has(anchor)),
        title,
      ).toEqual([]);
    }
  });
});

describe('the dashboard', () => {
  it.each(STAGE_NAMES)(
    'of %s shows every alarm, each stage of the data flow, and the latest errors of every function',
    (stage) => {
      const { alarms, composite, resources } = synthesiseAlarms(stage, {});
      const [dashboard] = Object.values(resources.stateless).filter(
        ({ Type }) => Type === 'AWS::CloudWatch::Dashboard',
      );
      const body = textOf(dashboard?.Properties.DashboardBody);
      for (const { alarm } of alarms) expect(body).toContain(`:alarm:${alarm.AlarmName}"`);
      expect(body).toContain(textOf({ 'Fn::GetAtt': ['DataNotArrivingAlarmBC32023A', 'Arn'] }));
      expect(composite.AlarmName).toContain('DataNotArriving');
      const { widgets } = JSON.parse(body) as {
        widgets: { type: string; x: number; y: number; width: number; properties: Record<string, unknown> }[];
      };
      const headings = widgets.filter(({ properties }) => String(properties.markdown).startsWith('## '));
      expect(headings.sort((a, b) => a.x - b.x).map(({ properties }) => properties.markdown)).toEqual(
        ['Source', 'Lake and stream', 'Index', 'Summaries', 'Engines'].map((title) => `## ${title}`),
      );
      for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
      const [errors] = widgets.filter(({ type }) => type === 'log');
      const ours = Object.values(resources.stateless).filter(
        ({ Type, Properties }) => Type === 'AWS::Lambda::Function' && Properties.VpcConfig,
      );
      const groups = new Set(ours.map(({ Properties }) => textOf(loggingOf(Properties).LogGroup)));
      expect(String(errors?.properties.query).match(/SOURCE/g)).toHaveLength(groups.size);
    },
  );

  it.each(CASES)('of %s only graphs metrics that are emitted with these dimensions', (_, stage, settings) => {
    const { resources, config } = synthesiseAlarms(stage, settings);
    const [dashboard] = Object.values(resources.stateless).filter(
      ({ Type }) => Type === 'AWS::CloudWatch::Dashboard',
    );
    const { widgets } = JSON.parse(textOf(dashboard?.Properties.DashboardBody)) as {
      widgets: { properties: { metrics?: GraphedMetric[] } }[];
    };
    const lines = widgets.flatMap(({ properties }) => properties.metrics ?? []);
    const searches = lines.flatMap(([line]) => (typeof line === 'object' && line.expression) || []);
    const graphed = lines.filter(([line]) => typeof line === 'string').map(watchedBy);
    const namespaces = new Set(graphed.map(({ namespace }) => namespace));
    expect([...namespaces].sort()).toEqual(['AWS/ES', 'AWS/Kafka', 'AWS/Lambda', METRICS_NAMESPACE]);
    expect(graphed.length).toBeGreaterThan(25);
    expect(searches.length).toBeGreaterThan(4);
    expect(searches.flatMap((search) => aboutSearch(search, config))).toEqual([]);
    expect(graphed.flatMap((metric) => aboutMetric(metric, config))).toEqual([]);
  });
});

const loggingOf = ({ LoggingConfig }: Resource['Properties']) => LoggingConfig as { LogGroup: unknown };

/** Whether what a search asks for is emitted with exactly the dimensions that it names. */
function aboutSearch(search: string, config: StageConfig): string[] {
  const form =
    /^SEARCH\('\{([^,]+),service,stage(?:,(\w+))?\} MetricName="(\w+)" service="(\w+)" stage="(\w+)"', '(\w+)', 300\)$/;
  const [, namespace = '', own = '', name = '', service = '', stage = '', statistic = ''] =
    form.exec(search) ?? [];
  const values: Record<string, string | undefined> = config.sources[0]
    ? { source: config.sources[0].name, exchange: config.sources[0].exchange }
    : {};
  const dimensions = { service, stage, ...(own ? { [own]: values[own] } : {}) };
  return namespace
    ? aboutMetric({ namespace, name, dimensions, statistic, periodSeconds: 300 }, config)
    : [`${search} is not understood`];
}

/** Namespace and name, names and values of the dimensions in turn, then options where they are not the defaults. */
type GraphedMetric = (string | { stat?: string; period?: number; expression?: string })[];

function watchedBy(graphed: GraphedMetric): WatchedMetric {
  const [namespace = '', name = '', ...pairs] = graphed.filter((each) => typeof each === 'string');
  const [{ stat = 'Average', period = 300 } = {}] = graphed.filter((each) => typeof each !== 'string');
  const dimensions = Object.fromEntries(
    Array.from({ length: pairs.length / 2 }, (_, n) => [pairs[2 * n] as string, pairs[2 * n + 1]]),
  );
  return { namespace, name, dimensions, statistic: stat, periodSeconds: period };
}

describe('notifications', () => {
  const { stateful } = buildApp('dev', {
    alarms: {
      chat: [
        { app: 'slack', workspaceId: 'T012ABCDEFG', channelId: 'C012ABCDEFG', topics: ['pages', 'notices'] },
        {
          app: 'teams',
          teamId: '8f4c1f0e-3a6b-4c52-9d2e-1f1f6f0b7a11',
          tenantId: '1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9',
          channelId: '19%3Aab6ef35dc342d56ba5654e6fc6d25a071%40thread.tacv2',
          topics: ['pages'],
        },
      ],
    },
    budget: { monthlyUsd: 250 },
  });
  const template = Template.fromStack(stateful);

  it('can go to chat rooms, from which nothing can be done to the account', () => {
    const [slack] = Object.values(template.findResources('AWS::Chatbot::SlackChannelConfiguration'));
    expect(slack?.Properties.SnsTopicArns).toHaveLength(2);
    expect(textOf(slack?.Properties.GuardrailPolicies[0])).toMatch(/:iam::aws:policy\/AWSDenyAll$/);
    const [teams] = Object.values(template.findResources('AWS::Chatbot::MicrosoftTeamsChannelConfiguration'));
    expect(teams?.Properties.SnsTopicArns).toHaveLength(1);
    expect(textOf(teams?.Properties.GuardrailPolicies[0])).toMatch(/:iam::aws:policy\/AWSDenyAll$/);
  });

  it('come from the budget before it is spent, on *notices* unless it has e-mail addresses', () => {
    template.hasResourceProperties('AWS::Budgets::Budget', {
      Budget: { BudgetType: 'COST', TimeUnit: 'MONTHLY', BudgetLimit: { Amount: 250, Unit: 'USD' } },
    });
    const [budget] = Object.values(template.findResources('AWS::Budgets::Budget'));
    const [spent, forecast] = budget?.Properties.NotificationsWithSubscribers ?? [];
    expect(spent.Notification).toMatchObject({ NotificationType: 'ACTUAL', Threshold: 80 });
    expect(forecast.Notification).toMatchObject({ NotificationType: 'FORECASTED', Threshold: 100 });
    expect(spent.Subscribers).toEqual([
      { SubscriptionType: 'SNS', Address: { Ref: expect.stringContaining('Notices') } },
    ]);
    const byMail = buildApp('dev', { budget: { monthlyUsd: 250, emails: ['money@example.com'] } });
    const [mailed] = Object.values(Template.fromStack(byMail.stateful).findResources('AWS::Budgets::Budget'));
    expect(mailed?.Properties.NotificationsWithSubscribers[0].Subscribers).toEqual([
      { SubscriptionType: 'EMAIL', Address: 'money@example.com' },
    ]);
  });

  it('are delivered: publishers may use topic and key, for this account only', () => {
    const services = ['budgets.amazonaws.com', 'cloudwatch.amazonaws.com'];
    const condition = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };
    const [key] = Object.values(template.findResources('AWS::KMS::Key'));
    expect(key?.Properties.KeyPolicy.Statement).toContainEqual(
      expect.objectContaining({
        Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        Principal: { Service: services },
        Condition: condition,
      }),
    );
    const policies = Object.values(template.findResources('AWS::SNS::TopicPolicy'));
    expect(policies).toHaveLength(2);
    for (const { Properties } of policies) {
      expect(Properties.PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({
          Effect: 'Allow',
          Action: 'sns:Publish',
          Principal: { Service: services },
          Condition: condition,
        }),
      );
    }
  });
});
