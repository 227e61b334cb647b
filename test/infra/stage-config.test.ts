import { describe, expect, it } from 'vitest';
import { requireCommercial } from '../../lib/config/region.ts';
import type { StageSettings } from '../../lib/config/settings.ts';
import { StageConfigError } from '../../lib/config/stage-config.ts';
import { STAGE_NAMES, stageConfig, stageConfigByName } from '../../lib/config/stages.ts';
import { requireAttended } from '../../lib/config/unattended.ts';

function messageOf(stage: string, settings: StageSettings = {}): string {
  try {
    stageConfigByName(stage, settings);
  } catch (error) {
    expect(error).toBeInstanceOf(StageConfigError);
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
}

describe('a stage’s configuration', () => {
  it.each(STAGE_NAMES)('is valid for %s', (stage) => {
    expect(stageConfig(stage).stage).toBe(stage);
  });

  it('is frozen at every level', () => {
    const config = stageConfig('dev');
    expect(() => {
      (config.stream.topic as { partitions: number }).partitions = 12;
    }).toThrow(TypeError);
  });

  it('lays your own settings over the stage’s and keeps the rest', () => {
    const config = stageConfig('dev', { retention: { logDays: 30 }, alarms: { pages: ['a@example.com'] } });
    expect(config.retention).toEqual({ ...stageConfig('dev').retention, logDays: 30 });
    expect(config.alarms).toEqual({ ...stageConfig('dev').alarms, pages: ['a@example.com'] });
  });

  it('of a new stage starts from the one that it is based on', () => {
    expect(stageConfigByName('test', { basedOn: 'prod' })).toEqual({ ...stageConfig('prod'), stage: 'test' });
  });

  it('of an unknown stage lists the known ones', () => {
    expect(messageOf('qa')).toBe(
      'There is no stage "qa": choose dev or prod, or set "basedOn" to one of them in your settings.',
    );
    expect(messageOf('qa', { basedOn: 'live' })).toBe('"basedOn" must be dev or prod, not "live".');
  });
});

describe('a stage whose data is meant to last', () => {
  const pages = { pages: ['on-call@example.com'] };
  const room = { app: 'slack', workspaceId: 'T012ABC', channelId: 'C012ABC' };
  const budget = { monthlyUsd: 900 };
  const refusal = (settings: StageSettings, accepted: string[] = []) => {
    try {
      requireAttended(stageConfigByName('live', { basedOn: 'prod', ...settings }), accepted);
    } catch (error) {
      expect(error).toBeInstanceOf(StageConfigError);
      return (error as Error).message;
    }
    return '';
  };

  it.each<[string, StageSettings, string[]]>([
    ['an address to page and a budget', { alarms: pages, budget }, []],
    [
      'a chat room for pages and a budget',
      { alarms: { chat: [{ ...room, topics: ['pages'] }] }, budget },
      [],
    ],
    ['an address, its missing budget accepted', { alarms: pages }, ['budget']],
    ['nothing, which is accepted', {}, ['true']],
  ])('may have %s', (_, settings, accepted) => {
    expect(refusal(settings, accepted)).toBe('');
  });

  it.each<[string, StageSettings, string[], RegExp]>([
    ['no one to page', { budget }, [], /^Nobody is paged .* -c acceptUnattended=alarms\.pages\.$/],
    [
      'a room for notices only',
      { alarms: { chat: [{ ...room, topics: ['notices'] }] }, budget },
      [],
      /^Nobody is paged/,
    ],
    [
      'no budget',
      { alarms: pages },
      ['alarms.pages'],
      /^Nobody is told that it costs .* -c acceptUnattended=budget\.$/,
    ],
  ])('is refused with %s', (_, settings, accepted, message) => {
    expect(refusal(settings, accepted)).toMatch(message);
  });

  it('is not dev, which may be unattended', () => {
    expect(() => requireAttended(stageConfig('dev'), [])).not.toThrow();
  });
});

describe('a region', () => {
  it.each(['us-gov-west-1', 'cn-north-1', 'eusc-de-east-1', 'us-iso-east-1'])(
    'such as %s is refused',
    (region) => {
      expect(() => requireCommercial(region)).toThrow(
        `The app supports commercial AWS regions only, not ${region}: set AWS_REGION to another one (docs/aws.md).`,
      );
    },
  );

  it.each(['us-east-1', 'eu-central-1', undefined])('such as %s is not', (region) => {
    expect(() => requireCommercial(region)).not.toThrow();
  });
});

describe('an error names the invalid value', () => {
  it.each<[string, StageSettings, string]>([
    [
      'an interval that does not divide the hour',
      { sources: [{ ...stageConfig('dev').sources[0], samplingIntervalMinutes: 7 }] },
      '- sources.0.samplingIntervalMinutes: Invalid option: expected one of 1|2|3|4|5|6|10|12|15|20|30|60 (got 7)',
    ],
    ['a setting that does not exist', { strem: {} }, '- settings: Unrecognized key: "strem"'],
    [
      'more copies than brokers',
      { stream: { topic: { replicationFactor: 3 } } },
      '- stream.topic.replicationFactor: 3 copies need as many brokers, but there are 2 (got 3)',
    ],
    [
      'a topic that one broker can stop',
      { stream: { topic: { minInsyncReplicas: 2 } } },
      '- stream.topic.minInsyncReplicas: must be below replicationFactor (2), or the loss of one broker stops the stream (got 2)',
    ],
    [
      'locked batches in a bucket that is to be emptied',
      { lake: { lockDays: 30 } },
      '- lake.lockDays: needs dataOnRemoval "retain": the bucket could not be emptied before it is destroyed (got 30)',
    ],
    [
      'polls that overlap',
      { functions: { ingest: { timeoutSeconds: 120 } } },
      '- functions.ingest.timeoutSeconds: must be below the 2 min between two polls of kraken, or they overlap (got 120)',
    ],
    [
      'an execution to reserve in an account with the quota of a new one',
      { reservedConcurrency: true, alarms: { concurrencyQuota: 10 } },
      '- reservedConcurrency: Lambda refuses to reserve 24 of 10 executions (alarms.concurrencyQuota): 100 must stay unreserved. Set it to false, or have the quota raised (got true)',
    ],
    [
      'brokers that cannot be spread evenly',
      { stream: { brokers: 3 } },
      '- stream.brokers: must be a multiple of the 2 availability zones (got 3)',
    ],
    [
      'fewer zones than there are to be',
      { network: { zones: ['us-east-1a', 'us-east-1a'] } },
      '- network.zones: must name 2 different zones (network.availabilityZones) (got ["us-east-1a","us-east-1a"])',
    ],
    [
      'the id of a zone instead of its name',
      { network: { zones: ['us-east-1a', 'use1-az3'] } },
      '- network.zones.1: must be the name of a zone, such as us-east-1a (got "use1-az3")',
    ],
    [
      'a replica without a node',
      { search: { indices: { replicas: 1 } } },
      '- search.indices.replicas: 1 replicas do not fit on 1 data nodes (got 1)',
    ],
    [
      'a retention that CloudWatch does not support',
      { retention: { logDays: 10 } },
      '- retention.logDays: Invalid option: expected one of 1|3|5|7|14|30|60|90|120|150|180|365|400|545|731|1096|1827 (got 10)',
    ],
    [
      'an invalid ARN',
      { stream: { existing: { clusterArn: 'my-cluster' } } },
      '- stream.existing.clusterArn: must be the ARN of an MSK cluster (got "my-cluster")',
    ],
    [
      'a chat room with an invalid workspace id',
      { alarms: { chat: [{ app: 'slack', workspaceId: 'mine', channelId: 'C012', topics: ['pages'] }] } },
      '- alarms.chat.0.workspaceId: must look like T012ABCDEFG (got "mine")',
    ],
    [
      'a budget of zero',
      { budget: { monthlyUsd: 0 } },
      '- budget.monthlyUsd: Too small: expected number to be >0 (got 0)',
    ],
    [
      'two sources with the same name',
      { sources: [stageConfig('dev').sources[0], stageConfig('dev').sources[0]] },
      '- sources: two of them are named kraken (got',
    ],
    [
      'two sources that poll the same market',
      { sources: [stageConfig('dev').sources[0], { ...stageConfig('dev').sources[0], name: 'again' }] },
      '- sources: two of them poll kraken spot and would write the same lake objects',
    ],
  ])('%s', (_, settings, line) => {
    expect(messageOf('dev', settings)).toContain(line);
  });
});
