import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { REPAIR_EVENT } from '../../core/operate/gaps/gaps.ts';
import { HEAL_EVENT } from '../../core/operate/heal.ts';
import { executionsToReserve } from '../../lib/config/stage-config.ts';
import { stageConfig } from '../../lib/config/stages.ts';
import { pollExpression } from '../../lib/ingest/poll-times.ts';
import { builtApp, bybit, synthesise, synthesiseAgain } from './synthesised.ts';

const stages = { dev: synthesise('dev').stateless, prod: synthesise('prod').stateless };
const { dev } = stages;
const eachStage = Object.entries(stages);

/** Settings of functions that dev does not have, all at once. */
const withOptions = synthesise('dev', {
  reservedConcurrency: true,
  index: { batchWindowSeconds: 120, provisioned: true },
  repairGaps: true,
  bastion: true,
});

/** The only function whose description starts like this. */
function functionOf(template: typeof dev, description: string) {
  const found = Object.values(template.findResources('AWS::Lambda::Function')).filter(({ Properties }) =>
    String(Properties.Description).startsWith(description),
  );
  expect(found).toHaveLength(1);
  return found[0]?.Properties;
}

describe('a function', () => {
  it.each(eachStage)('runs on arm64 with Node 24, JSON logs and tracing, in the VPC: %s', (_, template) => {
    const ours = Object.values(template.findResources('AWS::Lambda::Function')).filter(
      ({ Properties }) => Properties.VpcConfig,
    );
    expect(ours).toHaveLength(9);
    for (const { Properties } of ours) {
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        LoggingConfig: { LogFormat: 'JSON' },
        TracingConfig: { Mode: 'Active' },
      });
    }
  });

  it('reserves executions only by setting: one if it needs no second, and a limit for those that people call', () => {
    const reserving = (template: typeof dev) =>
      Object.values(template.findResources('AWS::Lambda::Function'))
        .filter(({ Properties }) => Properties.ReservedConcurrentExecutions !== undefined)
        .map(({ Properties }) => [Properties.ReservedConcurrentExecutions, Properties.Description]);
    const all = [
      [1, 'Polls kraken every 2 min: lake first, then the stream'],
      [1, 'Computes candles and moves of each closed hour'],
      [1, 'Watches how fresh tickers and summaries are'],
      [10, 'Answers questions about prices and their moves'],
      [5, "Runs operators' commands, slice by slice"],
      [5, 'Fetches hourly candles through ccxt for backfill'],
      [1, 'Makes Parquet of closed days'],
    ];
    expect(reserving(dev)).toEqual([]);
    expect(reserving(stages.prod)).toEqual(all);
    expect(reserving(withOptions.stateless)).toEqual(all);
    expect(reserving(synthesise('prod', { reservedConcurrency: false }).stateless)).toEqual([]);
    const reserved = all.reduce((sum, [executions]) => sum + Number(executions), 0);
    expect(executionsToReserve(stageConfig('prod'))).toBe(reserved);
  });

  it('keeps its logs for the stage’s retention', () => {
    dev.allResourcesProperties('AWS::Lambda::Function', { LoggingConfig: { LogGroup: Match.anyValue() } });
    dev.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 14, KmsKeyId: Match.anyValue() });
  });
});

describe('ingest', () => {
  it.each(eachStage)('polls at whole minutes, with the scheduled time as the slot: %s', (_, template) => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0/2 * * * ? *)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { Input: '{"slot":"<aws.scheduler.scheduled-time>"}' },
    });
  });

  it('of many sources starts in different minutes, and none moves when another comes', () => {
    const timesOf = (count: number, samplingIntervalMinutes: number) =>
      Array.from({ length: count }, (_, n) =>
        pollExpression({ name: `exchange-${n}`, samplingIntervalMinutes: samplingIntervalMinutes as 2 }),
      );
    for (const [every, minutes] of [
      [1, 1],
      [2, 2],
      [5, 5],
      [60, 5],
    ] as const) {
      const times = timesOf(100, every);
      const together = Object.values(Object.groupBy(times, (each) => each)).map((some = []) => some.length);
      expect(together).toHaveLength(minutes);
      expect(Math.max(...together)).toBeLessThan((100 / minutes) * 1.4);
      expect(timesOf(101, every).slice(0, 100)).toEqual(times);
    }
    expect(timesOf(1, 60)[0]).toMatch(/^cron\([0-4] \* \* \* \? \*\)$/);
  });

  it('ends before the next slot', () => {
    const ingest = functionOf(dev, 'Polls kraken');
    expect(ingest.Timeout).toBeLessThan(120);
    expect(ingest.Environment.Variables).toMatchObject({ SAMPLING_INTERVAL_MS: '120000' });
  });

  it('is retried by Scheduler and Lambda until the next slot, then its event goes to the queue', () => {
    const queue = { 'Fn::GetAtt': [Match.stringLikeRegexp('^PollsDeadLetters'), 'Arn'] };
    dev.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0/2 * * * ? *)',
      Target: {
        RetryPolicy: { MaximumEventAgeInSeconds: 120, MaximumRetryAttempts: 2 },
        DeadLetterConfig: { Arn: queue },
      },
    });
    dev.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: Match.stringLikeRegexp('^SourcekrakenIngest') },
      MaximumEventAgeInSeconds: 120,
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: queue } },
    });
  });

  it.each(eachStage)(
    'has its schedule in the stage’s own group, which is created first: %s',
    (_, template) => {
      const [group] = Object.entries(template.findResources('AWS::Scheduler::ScheduleGroup'));
      const schedules = Object.values(template.findResources('AWS::Scheduler::Schedule'));
      expect(schedules).toHaveLength(5);
      for (const { Properties, DependsOn } of schedules) {
        expect(Properties.GroupName).toBe(group?.[1].Properties.Name);
        expect(DependsOn).toContain(group?.[0]);
      }
    },
  );

  it('has a function, a schedule and a sampling interval for each source', () => {
    const { stateless } = synthesise('dev', {
      sources: [
        { ...bybit, categories: ['linear'] },
        { ...bybit, name: 'bybit-spot', categories: ['spot'], samplingIntervalMinutes: 5 },
      ],
    });
    expect(functionOf(stateless, 'Computes candles').Environment.Variables.SAMPLING_INTERVALS).toBe(
      '{"default":120000,"bybit:linear":120000,"bybit:spot":300000}',
    );
    expect(functionOf(stateless, 'Polls bybit every')).toBeDefined();
    expect(functionOf(stateless, 'Polls bybit-spot every')).toBeDefined();
    stateless.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: Match.stringLikeRegexp('^cron\\([0-4]/5 '),
    });
    stateless.hasOutput('BybitSpotIngestFunctionName', {});
  });

  it('uses the ccxt function for a source that comes through ccxt', () => {
    const ccxt = {
      name: 'gate',
      exchange: 'gate',
      api: 'ccxt:gate',
      categories: ['spot'],
      samplingIntervalMinutes: 5,
    };
    const { stateless } = synthesise('dev', { sources: [ccxt] });
    expect(JSON.parse(functionOf(stateless, 'Polls gate').Environment.Variables.TICKER_SOURCE)).toMatchObject(
      {
        api: 'ccxt:gate',
      },
    );
  });
});

describe('index', () => {
  it.each(eachStage)('takes as many records as fit into 6 MB, from the first one on: %s', (_, template) => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 10,
      StartingPosition: 'TRIM_HORIZON',
      Topics: ['tickers'],
    });
  });

  it('tells verify for how long it collects records', () => {
    const { stateless } = withOptions;
    stateless.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      MaximumBatchingWindowInSeconds: 120,
    });
    expect(functionOf(stateless, 'Runs operators').Environment.Variables).toMatchObject({
      BATCHING_WINDOW_SECONDS: '120',
    });
  });

  it.each(eachStage)('stores failed batches with their payload in the lake’s bucket: %s', (_, template) => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      DestinationConfig: {
        OnFailure: { Destination: { 'Fn::ImportValue': Match.stringLikeRegexp('LakeBucket.*Arn') } },
      },
    });
  });

  it('starts after the templates are installed', () => {
    dev.hasResource('AWS::Lambda::EventSourceMapping', { DependsOn: Match.arrayWith(['Setup1774D09E']) });
  });
});

describe('provisioned pollers and the features that need them are switched together', () => {
  const mappingAndFlag = (stateless: typeof dev) => {
    const [mapping] = Object.values(stateless.findResources('AWS::Lambda::EventSourceMapping'));
    return {
      mapping: mapping?.Properties,
      flag: functionOf(stateless, 'Indexes tickers').Environment.Variables.PARTIAL_BATCH_RESPONSE,
    };
  };

  it('on: pollers, bisecting, partial responses, retries up to a maximum age, and the handler’s partial mode', () => {
    const { mapping, flag } = mappingAndFlag(withOptions.stateless);
    expect(mapping).toMatchObject({
      ProvisionedPollerConfig: { MinimumPollers: 1, MaximumPollers: 2 },
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRecordAgeInSeconds: 86_400,
      // Without it, the on-failure destination would end the retries after ten.
      MaximumRetryAttempts: 10_000,
    });
    expect(flag).toBe('true');
  });

  it('off: none of them', () => {
    const { mapping, flag } = mappingAndFlag(dev);
    for (const property of [
      'ProvisionedPollerConfig',
      'BisectBatchOnFunctionError',
      'FunctionResponseTypes',
      'MaximumRecordAgeInSeconds',
      'MaximumRetryAttempts',
    ]) {
      expect(mapping).not.toHaveProperty(property);
    }
    expect(flag).toBe('false');
  });
});

describe('summarise', () => {
  it('runs ten minutes after each hour, with the stage’s thresholds and polls', () => {
    dev.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(10 * * * ? *)',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 2 },
    });
    expect(functionOf(dev, 'Computes candles').Environment.Variables).toMatchObject({
      MOVE_THRESHOLDS: '0.01,0.02,0.05,0.1',
      SAMPLING_INTERVALS: '{"default":120000,"kraken:spot":120000}',
      TICK_RETENTION_DAYS: '30',
    });
  });
});

describe('watch', () => {
  it('looks every minute, for each exchange that is polled', () => {
    dev.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'cron(* * * * ? *)' });
    expect(functionOf(dev, 'Watches how fresh')).toMatchObject({
      Environment: { Variables: { EXCHANGES: '["kraken"]', STAGE: 'dev' } },
    });
  });
});

describe('operate', () => {
  it.each(eachStage)('redrives every five minutes what failed for a transient reason: %s', (_, template) => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0/5 * * * ? *)',
      Target: { Input: JSON.stringify(HEAL_EVENT) },
    });
    expect(HEAL_EVENT.sliceMs).toBeLessThan(60_000);
    expect(JSON.stringify(template.findResources('AWS::Scheduler::Schedule'))).not.toContain('gaps');
    expect(functionOf(template, "Runs operators' commands").Timeout).toBeGreaterThanOrEqual(120);
  });
});

describe('compact', () => {
  it('runs every hour of the night: with a whole core, room on its disk and all the time that Lambda gives', () => {
    dev.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'cron(20 1-6 * * ? *)' });
    expect(functionOf(dev, 'Makes Parquet')).toMatchObject({
      MemorySize: 1_769,
      EphemeralStorage: { Size: 4_096 },
      Timeout: 900,
      Environment: { Variables: { MOVE_THRESHOLDS: '0.01,0.02,0.05,0.1' } },
    });
  });
});

it('repairs hours without data each hour, if a setting switches it on', () => {
  const { stateless } = withOptions;
  stateless.hasResourceProperties('AWS::Scheduler::Schedule', {
    ScheduleExpression: 'cron(35 * * * ? *)',
    Target: { Input: JSON.stringify(REPAIR_EVENT) },
  });
  const { Timeout } = functionOf(stateless, "Runs operators' commands");
  expect(REPAIR_EVENT.sliceMs).toBeLessThan((Timeout - 20) * 1_000);
});

describe('setup', () => {
  const propertiesOf = (template: typeof dev) => {
    const [resource] = Object.values(template.findResources('Custom::OpenSearchSetup'));
    return resource?.Properties;
  };

  it('runs again when index settings change, and only then', () => {
    expect(propertiesOf(synthesiseAgain('dev').stateless)).toEqual(propertiesOf(dev));
    const { stateless } = synthesise('dev', { search: { indices: { refreshInterval: '60s' } } });
    expect(propertiesOf(stateless)).not.toEqual(propertiesOf(dev));
  });

  it('runs again when its bundle changes: that is where templates, roles and dashboards are', () => {
    const { Bundle } = propertiesOf(dev);
    expect(Bundle).toMatch(/^[0-9a-f]{64}\.zip$/);
    expect(functionOf(dev, 'Installs index templates').Code.S3Key).toBe(Bundle);
  });

  it('maps the role of each function that signs in', () => {
    dev.hasResourceProperties('Custom::OpenSearchSetup', {
      FunctionRoles: Object.fromEntries(
        ['index', 'summarise', 'insights', 'operate', 'watch'].map((name) => [
          name,
          { 'Fn::GetAtt': [Match.stringLikeRegexp('FunctionRole'), 'Arn'] },
        ]),
      ),
    });
  });

  it('runs again for a replaced domain', () => {
    dev.hasResourceProperties('Custom::OpenSearchSetup', {
      Domain: { 'Fn::Join': ['', ['https://', { 'Fn::ImportValue': Match.anyValue() }]] },
    });
  });

  it('knows the admin user only by the secret’s ARN', () => {
    expect(functionOf(dev, 'Installs index templates').Environment.Variables).toHaveProperty(
      'OPENSEARCH_MASTER_SECRET',
      { 'Fn::ImportValue': expect.stringContaining('SearchMaster') },
    );
  });
});

describe('a person', () => {
  it('finds the functions and a first question in the outputs', () => {
    for (const name of [
      'KrakenIngest',
      'Index',
      'Summarise',
      'Insights',
      'Operate',
      'CandlesCcxt',
      'Compact',
      'Watch',
      'Setup',
    ]) {
      dev.hasOutput(`${name}FunctionName`, {});
    }
    dev.hasOutput('FirstQuestion', { Value: 'npm run insights -- average BTC --over 1h --stage dev' });
  });

  it('reaches Dashboards through a host that is off by default', () => {
    dev.resourceCountIs('AWS::EC2::Instance', 0);
    const { stateful, stateless } = withOptions;
    stateless.hasResourceProperties('AWS::EC2::Instance', { InstanceType: 't4g.nano' });
    stateless.hasOutput('BastionInstanceId', {});
    expect(JSON.stringify(stateful.toJSON())).toBe(JSON.stringify(synthesise('dev').stateful.toJSON()));
  });

  it('is notified by e-mail, if the stage has addresses', () => {
    const { stateful } = synthesise('dev', { alarms: { pages: ['on-call@example.com'] } });
    stateful.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'on-call@example.com',
    });
    stateful.resourceCountIs('AWS::SNS::Topic', 2);
  });

  it.each(eachStage)('can remove a source, because no other stack refers to it: %s', (_, template) => {
    const outputs = Object.values(template.findOutputs('*'));
    expect(outputs.length).toBeGreaterThan(5);
    for (const output of outputs) expect(output).not.toHaveProperty('Export');
  });

  it('removes all of dev', () => {
    const resources = dev.toJSON().Resources as Record<string, { DeletionPolicy?: string }>;
    for (const [id, { DeletionPolicy }] of Object.entries(resources)) {
      expect([id, DeletionPolicy ?? 'Delete']).toEqual([id, 'Delete']);
    }
  });

  it('cannot delete prod by mistake', () => {
    const { stateful, stateless } = builtApp('prod');
    expect([stateful, stateless].map((stack) => stack.terminationProtection)).toEqual([true, true]);
    expect(builtApp('dev').stateful.terminationProtection).toBe(false);
  });
});
