import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { expect, it } from 'vitest';
import type { Stage } from './stage.ts';

/** Deploys the stage again, without and with changes. */
export function updates(stage: () => Stage): void {
  let first = '';

  async function alarmsOf(source: string): Promise<string[]> {
    const alarms = await stage().local.alarmWorld.metricAlarms();
    return alarms.map(({ AlarmName }) => AlarmName).filter((name) => name.includes(source));
  }

  it('deployed again without a change changes nothing', async () => {
    first = stage().assembly;
    const output = await stage().deploy(first);
    expect(output.match(/\(no changes\)/g)).toHaveLength(2);
  });

  it('takes a change: setup puts the new templates, and a new source has its alarms', async () => {
    const changed = await stage().synth('second', {
      search: { indices: { refreshInterval: '15s' } },
      sources: [
        stage().source(),
        stage().source({ name: 'mirror', exchange: 'mirror', samplingIntervalMinutes: 60 }),
      ],
    });
    await stage().deploy(changed);
    const { body } = await stage().local.openSearch.indices.getIndexTemplate({
      name: 'crypto-market-insights-tickers',
    });
    expect(body).toMatchObject({
      index_templates: [
        { index_template: { template: { settings: { index: { refresh_interval: '15s' } } } } },
      ],
    });
    expect(await alarmsOf('mirror')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/Heartbeat$/),
        expect.stringMatching(/Freshness-mirror-linear$/),
      ]),
    );
  });

  it('lets a source go again, with its alarms, also those that wake someone', async () => {
    await stage().deploy(first);
    expect(await alarmsOf('mirror')).toEqual([]);
  });
}

export function destruction(stage: () => Stage): void {
  it('is destroyed to the last resource, with a lake that was not empty', async () => {
    await stage().local.cdk('destroy', '--all', '--force', '--app', stage().assembly);
    const { Stacks = [] } = await new CloudFormationClient(stage().local.aws).send(
      new DescribeStacksCommand({}),
    );
    const left = Stacks.filter(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE').map(
      ({ StackName }) => StackName,
    );
    expect(left).toEqual(['CDKToolkit']);
    await expect(stage().keysOf('')).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
    expect(await stage().local.kafkaAdmin.listTopics()).not.toContain(stage().topic);
  });
}
