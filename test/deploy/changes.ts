import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { expect, it } from 'vitest';
import { REPLICA, type Stage } from './stage.ts';

/** How many are deployed in a test that CI leaves out. */
const MANY_SOURCES = Number(process.env.MANY_SOURCES ?? 0);

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
        expect.stringMatching(/Freshness-mirror$/),
      ]),
    );
  });

  // Takes minutes: MANY_SOURCES=100 npm run test:deploy
  it.runIf(MANY_SOURCES > 0)(
    'takes many sources, then one more, then one less, and leaves the others as they are',
    async () => {
      const sourcesOf = (count: number) =>
        Array.from({ length: count }, (_, n) => n).map((n) =>
          stage().source({ name: `venue-${n}`, exchange: `venue-${n}`, samplingIntervalMinutes: 60 }),
        );
      let before: [string, string][] = [];
      for (const [step, count] of [MANY_SOURCES, MANY_SOURCES + 1, MANY_SOURCES].entries()) {
        const startedMs = Date.now();
        const many = await stage().synth(`many-${step}`, { sources: sourcesOf(count) });
        const synthesisedMs = Date.now();
        await stage().deploy(many);
        const times = [synthesisedMs - startedMs, Date.now() - synthesisedMs];
        const [synth, deploy] = times.map((ms) => Math.round(ms / 1_000));
        console.info(`${count} sources: ${synth} s to synthesise, ${deploy} s to deploy`);
        const now = Object.entries(stage().stateless).filter(([name]) => /^Venue\d+Ingest/.test(name));
        expect(now).toHaveLength(count);
        const [fewer, more] = before.length < now.length ? [before, now] : [now, before];
        expect(more).toEqual(expect.arrayContaining(fewer));
        before = now;
      }
    },
    3_600_000,
  );

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
    // The lake was emptied before. Its replica still has everything, except the markers of polls.
    const kept = await stage().keysOf('', REPLICA);
    expect(kept.filter((key) => key.startsWith('tickers/exchange=bybit/')).length).toBeGreaterThan(2);
    expect(kept).toContainEqual(expect.stringMatching(/^candles\//));
    expect(kept.filter((key) => key.startsWith('state/exchange='))).toEqual([]);
  });
}
