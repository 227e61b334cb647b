import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { HEAL_EVENT } from '../../core/operate/heal.ts';
import { dimensionsOf, METRICS_NAMESPACE } from '../../core/runtime/metrics.ts';
import { stackName } from '../../lib/config/derived.ts';
import { RARE_METRICS } from '../infra/alarm-checks.ts';
import { idOf, type Listener, type MetricAlarm, type MetricId, metricOf, valuesFor } from './alarms.ts';
import { eventually } from './eventually.ts';
import { STAGE } from './local-aws.ts';
import type { Stage } from './stage.ts';

/** Has every alarm go off, and end. */
export function theAlarms(stage: () => Stage): void {
  const alarmWorld = () => stage().local.alarmWorld;
  const name = (part: 'stateful' | 'stateless', place: string) => `${stackName(STAGE, part)}-${place}`;
  const heartbeat = name('stateless', 'Source-bybit-Ingest-Heartbeat');
  const page = name('stateless', 'DataNotArriving');
  /** The emulator cannot evaluate formulas, so these two kinds of alarm are only proven in CloudWatch. */
  const WITH_ARITHMETIC = [
    'Stream-Brokers-Alarms-Cpu1',
    'Stream-Brokers-Alarms-Cpu2',
    'Search-Alarms-WritesRejected',
  ];
  let pages: Listener;
  let notices: Listener;

  /** The metrics that the source's polls emitted from a time on. */
  const emittedByPolls = async (sinceMs: number, metricName: string) => {
    const logGroup = await stage().logGroupOf('bybitIngest');
    return (await alarmWorld().emittedBy(logGroup, sinceMs)).filter(({ name }) => name === metricName);
  };

  /** Polls the next slot, and returns what the function emitted. */
  const pollNow = async (succeeded: number) => {
    const sinceMs = Date.now();
    const slot = new Date(Math.ceil(sinceMs / 60_000) * 60_000).toISOString();
    await stage()
      .invoke('bybitIngest', { slot })
      .catch(() => undefined);
    const [poll] = await eventually(
      async () =>
        (await emittedByPolls(sinceMs, 'PollsSucceeded')).filter(({ values }) => values[0] === succeeded),
      (polls) => polls.length > 0,
    );
    if (!poll) throw new Error('no poll');
    return poll;
  };

  it('ask for what the deployed functions emit, by name and dimensions', async () => {
    await stage().invoke('watch', {});
    await stage().invoke('operate', HEAL_EVENT);
    const functions = ['bybitIngest', 'index', 'summarise', 'watch', 'operate', 'compact'];
    const emitted = await Promise.all(
      functions.map(async (each) => alarmWorld().emittedBy(await stage().logGroupOf(each))),
    );
    // Failure metrics have the same dimensions as the metrics that are always emitted.
    const ids = new Set(
      emitted.flat().flatMap((each) => [each.name, ...RARE_METRICS].map((name) => idOf({ ...each, name }))),
    );
    const dimensions = dimensionsOf('freshness', STAGE, { exchange: 'bybit' }, 'StaleCategories');
    ids.add(idOf({ namespace: METRICS_NAMESPACE, name: 'StaleCategories', dimensions }));
    const own = (await alarmWorld().metricAlarms()).filter(
      ({ Namespace }) => Namespace === METRICS_NAMESPACE,
    );
    expect(own.length).toBeGreaterThan(9);
    expect(own.map((alarm) => idOf(metricOf(alarm))).filter((id) => !ids.has(id))).toEqual([]);
  });

  it('page when nothing is there, and say when the first data has come', async () => {
    pages = await alarmWorld().listenTo(stage().stateful.PagesTopicArn as string, 'pages');
    notices = await alarmWorld().listenTo(stage().stateful.NoticesTopicArn as string, 'notices');
    expect(await alarmWorld().stateOf(page)).toBe('ALARM');
    const watched = await alarmWorld().emittedBy(await stage().logGroupOf('watch'));
    const look = watched.find(({ name }) => name === 'Looks');
    const [poll] = await emittedByPolls(0, 'PollsSucceeded');
    if (!look || !poll) throw new Error('nothing was emitted');
    await alarmWorld().put(look, look.values[0] as number);
    await alarmWorld().put(poll, poll.values[0] as number);
    await notices.hear(heartbeat, 'OK');
    await pages.hear(page, 'OK');
  });

  it('page once for two signs of one trouble, and say when both are over', async () => {
    const freshness = name('stateless', 'Watch-Freshness-bybit');
    const silent = name('stateless', 'Watch-Silent');
    const metricAlarms = await alarmWorld().metricAlarms();
    const [stale, looks] = [freshness, silent].map((each) =>
      metricOf(metricAlarms.find(({ AlarmName }) => AlarmName === each) as MetricAlarm),
    ) as [MetricId, MetricId];
    stage().local.exchange.status = 404;
    const failed = await pollNow(0);
    stage().local.exchange.status = 200;
    for (let polls = 1; polls <= 3; polls++) {
      alarmWorld().letPass(60);
      await alarmWorld().put(failed, failed.values[0] as number);
      await alarmWorld().put(stale, 1);
      await alarmWorld().put(looks, 1);
    }
    expect((await notices.hear(heartbeat, 'ALARM')).AlarmDescription).toContain('docs/runbook.md#heartbeat');
    await notices.hear(freshness, 'ALARM');
    await pages.hear(page, 'ALARM');

    const good = await pollNow(1);
    alarmWorld().letPass(60);
    await alarmWorld().put(stale, 1);
    await alarmWorld().put(looks, 1);
    await alarmWorld().put(good, good.values[0] as number);
    await notices.hear(heartbeat, 'OK');
    expect(await alarmWorld().stateOf(page)).toBe('ALARM');
    // Nothing is emitted while nothing is stale.
    for (let minutes = 1; minutes <= 5; minutes++) {
      alarmWorld().letPass(60);
      await alarmWorld().put(good, good.values[0] as number);
      await alarmWorld().put(looks, 1);
    }
    await notices.hear(freshness, 'OK');
    await pages.hear(page, 'OK');
    expect(await pages.drain()).toEqual([]);
  });

  it('go off, each at its own metric, tell notices, and end', async () => {
    const alarms = await alarmWorld().metricAlarms();
    const told = new Set<string>();
    for (const alarm of alarms) {
      const { AlarmName, Period, EvaluationPeriods } = alarm;
      const { bad, good } = valuesFor(alarm);
      const metric = metricOf(alarm);
      // Past everything that was put before.
      alarmWorld().letPass(Period * (EvaluationPeriods + 1));
      await alarmWorld().put(metric, good);
      expect(await alarmWorld().stateOf(AlarmName), AlarmName).toBe('OK');
      alarmWorld().letPass(Period * EvaluationPeriods);
      for (let ago = EvaluationPeriods - 1; ago >= 0; ago--)
        await alarmWorld().put(metric, bad, ago * Period);
      expect(await alarmWorld().stateOf(AlarmName), AlarmName).toBe('ALARM');
      alarmWorld().letPass(Period * EvaluationPeriods);
      await alarmWorld().put(metric, good);
      expect(await alarmWorld().stateOf(AlarmName), AlarmName).toBe('OK');
    }
    for (const { AlarmName, NewStateValue } of await notices.drain())
      told.add(`${AlarmName} ${NewStateValue}`);
    const untold = alarms.filter(
      ({ AlarmName }) => !told.has(`${AlarmName} ALARM`) || !told.has(`${AlarmName} OK`),
    );
    expect(untold.map(({ AlarmName }) => AlarmName)).toEqual([]);
  });

  it('are all of the template’s, but those with arithmetic', async () => {
    const template = readdirSync(stage().assembly)
      .filter((file) => file.endsWith('.template.json'))
      .map((file) => readFileSync(join(stage().assembly, file), 'utf8'))
      .join();
    const inTemplate = [...template.matchAll(/"AlarmName":"([^"]+)"/g)].map(([, each]) => each);
    const inCloudWatch = [page, ...(await alarmWorld().metricAlarms()).map(({ AlarmName }) => AlarmName)];
    expect(inTemplate.filter((each) => !inCloudWatch.includes(each as string)).sort()).toEqual(
      WITH_ARITHMETIC.map((place) => name('stateful', place)).sort(),
    );
  });
}
