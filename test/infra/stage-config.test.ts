import { describe, expect, it } from 'vitest';
import { StageConfigError } from '../../lib/config/stage-config.ts';
import { type StageSettings, stageConfig } from '../../lib/config/stages.ts';

function messageOf(stage: string, settings: StageSettings = {}): string {
  try {
    stageConfig(stage, settings);
  } catch (error) {
    expect(error).toBeInstanceOf(StageConfigError);
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
}

describe('a stage’s configuration', () => {
  it.each(['dev', 'prod'])('of %s is valid', (stage) => {
    expect(stageConfig(stage).stage).toBe(stage);
  });

  it('is frozen, to its depth', () => {
    const config = stageConfig('dev');
    expect(() => {
      (config.stream.topic as { partitions: number }).partitions = 12;
    }).toThrow(TypeError);
  });

  it('takes one’s own settings, and leaves the rest as it is', () => {
    const config = stageConfig('dev', { retention: { logDays: 30 }, alarms: { pages: ['a@example.com'] } });
    expect(config.retention).toEqual({ ...stageConfig('dev').retention, logDays: 30 });
    expect(config.alarms).toEqual({ ...stageConfig('dev').alarms, pages: ['a@example.com'] });
  });

  it('of a new stage starts from one that is named', () => {
    expect(stageConfig('test', { basedOn: 'prod' })).toEqual({ ...stageConfig('prod'), stage: 'test' });
  });

  it('of an unknown stage says which there are', () => {
    expect(messageOf('qa')).toBe(
      'There is no stage "qa": choose dev or prod, or name in your settings the one that it is "basedOn".',
    );
    expect(messageOf('qa', { basedOn: 'live' })).toBe('A stage is basedOn dev or prod, not "live".');
  });
});

describe('a wrong value is named, with what it is', () => {
  it.each<[string, StageSettings, string]>([
    [
      'an interval that does not divide the hour',
      { sources: [{ ...stageConfig('dev').sources[0], samplingIntervalMinutes: 7 }] },
      '- sources.0.samplingIntervalMinutes: Invalid option: expected one of 1|2|3|4|5|6|10|12|15|20|30|60; it is 7',
    ],
    ['a setting that does not exist', { strem: {} }, '- : Unrecognized key: "strem"; it is'],
    [
      'more copies than brokers',
      { stream: { topic: { replicationFactor: 3 } } },
      '- stream.topic.replicationFactor: 3 copies need as many brokers, there are 2; it is 3',
    ],
    [
      'a topic that one broker can stop',
      { stream: { topic: { minInsyncReplicas: 2 } } },
      '- stream.topic.minInsyncReplicas: has to be below replicationFactor (2), else the loss of one broker stops the stream; it is 2',
    ],
    [
      'polls that overlap',
      { functions: { ingest: { timeoutSeconds: 120 } } },
      '- functions.ingest.timeoutSeconds: has to be below the 2 min between two polls of bybit, else they overlap; it is 120',
    ],
    [
      'a replica without a node',
      { search: { indices: { replicas: 1 } } },
      '- search.indices.replicas: 1 replicas find no place on 1 data nodes; it is 1',
    ],
    [
      'a retention that CloudWatch does not know',
      { retention: { logDays: 10 } },
      '- retention.logDays: Invalid option: expected one of 1|3|5|7|14|30|60|90|120|150|180|365|400|545|731|1096|1827; it is 10',
    ],
    [
      'an ARN that is none',
      { stream: { existing: { clusterArn: 'my-cluster' } } },
      '- stream.existing.clusterArn: the ARN of an MSK cluster; it is "my-cluster"',
    ],
    [
      'a chat room without the id of its workspace',
      { alarms: { chat: [{ app: 'slack', workspaceId: 'mine', channelId: 'C012', topics: ['pages'] }] } },
      '- alarms.chat.0.workspaceId: as in T012ABCDEFG; it is "mine"',
    ],
    [
      'a budget of nothing',
      { budget: { monthlyUsd: 0 } },
      '- budget.monthlyUsd: Too small: expected number to be >0; it is 0',
    ],
    [
      'two sources of one name',
      { sources: [stageConfig('dev').sources[0], stageConfig('dev').sources[0]] },
      '- sources: two of them are named bybit; it is',
    ],
    [
      'two sources of one market',
      { sources: [stageConfig('dev').sources[0], { ...stageConfig('dev').sources[0], name: 'again' }] },
      '- sources: two of them poll bybit linear, and would write the same objects of the lake',
    ],
  ])('%s', (_, settings, line) => {
    expect(messageOf('dev', settings)).toContain(line);
  });
});
