import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { Client } from '@opensearch-project/opensearch';
import type { MSKEvent } from 'aws-lambda';
import { logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { savedObjects } from '../../charts/saved-objects.ts';
import { HEAL_EVENT } from '../../core/operate/heal.ts';
import { METRICS_NAMESPACE } from '../../core/runtime/metrics.ts';
import type { OpenSearchFunction } from '../../core/runtime/opensearch-functions.ts';
import { sourceNamed } from '../../exchanges/source-config.ts';
import { stackName } from '../../lib/config/derived.ts';
import { stageConfig } from '../../lib/config/stages.ts';
import { findJdk } from '../../local/engines/jdk.ts';
import { startKafkaEventSource } from '../../local/event-sources/kafka-event-source.ts';
import { Kafka } from '../../stores/kafka/kafkajs.ts';
import { type FakeBybit, startFakeBybit } from '../integration/lambdas/local-servers.ts';
import { type DashboardsServer, startDashboardsServer } from '../unit/lambdas/setup/dashboards-server.ts';
import { AlarmWorld, idOf, type Listener, metricOf, valuesFor } from './alarms.ts';
import { type Cdk, cdkCommand } from './cdk.ts';
import { makeCertificate } from './certificate.ts';
import { type Deployed, everyRole } from './every-role.ts';
import { onlyWhatIsAllowed } from './iam.ts';
import { Identities } from './identities.ts';
import { type KafkaFront, startKafkaFront } from './kafka-front.ts';
import { type MiniStack, startMiniStack } from './ministack/ministack.ts';
import { INDICES, mustNot } from './must-not.ts';
import { type OpenSearchFront, signedInAs, startOpenSearchFront } from './opensearch-front.ts';
import { ADMIN_ROLE, startSecureOpenSearch } from './secure-opensearch/secure-opensearch.ts';
import { type Signatures, startSignatures } from './signatures/signatures.ts';
import { startTopics, TOPIC_RESOURCE } from './topics.ts';

/*
 * The whole app, deployed with the CDK's own command line to a local AWS endpoint, with real Kafka and real
 * OpenSearch behind it. docs/aws.md says what of it is real and what is only recorded.
 */

const STAGE = 'dev';
const services = inject('services');

const folder = mkdtempSync(join(inject('runFolder'), 'deploy-'));
/** Kept after the run: what the CDK and MiniStack had to say. */
const logs = fileURLToPath(new URL('../../.local/logs/test-deploy', import.meta.url));
const kafka = new Kafka({ clientId: 'test', brokers: [services.kafka], logLevel: logLevel.NOTHING });
/** Every call of a role, see ministack/calls.py. */
const callsFile = join(logs, 'calls.jsonl');
const cleanups = new AsyncDisposableStack();

/** With several categories, unlike the one that the stages poll. */
const bybit = sourceNamed('bybit');
let exchange: FakeBybit;
let dashboards: DashboardsServer;
let kafkaFront: KafkaFront;
let openSearchFront: OpenSearchFront;
/** As an administrator beside the front. */
let openSearch: Client;
let signatures: Signatures;
let identities: Identities;
let ministack: MiniStack;
let alarmWorld: AlarmWorld;
let cdk: Cdk;
let aws: { region: string; endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } };

/** Synthesises the app with these settings; answers the assembly's folder. */
async function synth(name: string, settings: object, ...options: string[]): Promise<string> {
  const file = join(folder, `${name}.json`);
  const common = {
    // The emulator's shortest schedule; a poll has to end before the next.
    sources: [{ ...bybit, samplingIntervalMinutes: 1, apiUrl: exchange.url, apiIsPrivate: true }],
    functions: { ingest: { timeoutSeconds: 45 } },
  };
  writeFileSync(file, JSON.stringify({ ...common, ...settings }));
  const assembly = join(folder, name);
  await cdk('synth', '--quiet', '-c', `stage=${STAGE}`, '-c', `settings=${file}`, '-o', assembly, ...options);
  return assembly;
}

const deploy = (assembly: string) =>
  cdk('deploy', '--all', '--app', assembly, '--require-approval', 'never', '--concurrency', '2');

async function outputsOf(part: 'stateful' | 'stateless'): Promise<Record<string, string>> {
  const { Stacks } = await new CloudFormationClient(aws).send(
    new DescribeStacksCommand({ StackName: stackName(STAGE, part) }),
  );
  return Object.fromEntries(
    (Stacks?.[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
  );
}

async function invoke(FunctionName: string, event: unknown): Promise<unknown> {
  const answer = await new LambdaClient(aws).send(
    new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(event)) }),
  );
  const text = Buffer.from(answer.Payload ?? []).toString();
  if (answer.FunctionError) throw new Error(text);
  return JSON.parse(text);
}

async function keysOf(bucket: string, prefix: string): Promise<string[]> {
  const s3 = new S3Client({ ...aws, forcePathStyle: true });
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  return Contents.map(({ Key }) => Key as string);
}

/** Asks until the answer is good; what was asked last fails the test. */
async function eventually<T>(
  ask: () => Promise<T>,
  isGood: (answer: T) => boolean,
  limitMs = 100_000,
): Promise<T> {
  const endMs = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (Date.now() > endMs)
      throw new Error(`not within ${limitMs} ms; the last answer was ${JSON.stringify(answer)}`);
    await wait(500);
  }
}

async function recordsOnTopic(topic: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  } finally {
    await admin.disconnect();
  }
}

async function retentionMsOf(topic: string): Promise<string | undefined> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: TOPIC_RESOURCE, name: topic, configNames: ['retention.ms'] }],
    });
    return resources[0]?.configEntries[0]?.configValue;
  } finally {
    await admin.disconnect();
  }
}

async function topics(): Promise<string[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

async function alarmsOf(source: string): Promise<string[]> {
  const alarms = await alarmWorld.metricAlarms();
  return alarms.map(({ AlarmName }) => AlarmName).filter((name) => name.includes(source));
}

async function logGroupOf(FunctionName: string): Promise<string> {
  const { LoggingConfig } = await new LambdaClient(aws).send(
    new GetFunctionConfigurationCommand({ FunctionName }),
  );
  return LoggingConfig?.LogGroup as string;
}

beforeAll(async () => {
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs, { recursive: true });
  const jdk = await findJdk();
  const certificate = await makeCertificate(jdk, folder);
  const starting = startSecureOpenSearch({
    jdk,
    artifactsFolder: inject('artifactsFolder'),
    folder: mkdtempSync(join(inject('runFolder'), 'secure-')),
    certificate,
  });
  signatures = await startSignatures();
  cleanups.defer(() => signatures.close());
  exchange = await startFakeBybit();
  cleanups.defer(() => exchange.close());
  dashboards = await startDashboardsServer('/_dashboards');
  cleanups.defer(() => dashboards.close());
  kafkaFront = await startKafkaFront(services.kafka, certificate);
  cleanups.defer(() => kafkaFront.close());
  const secure = await starting;
  cleanups.defer(() => secure.stop());
  openSearch = new Client({
    node: secure.url,
    ssl: { ca: certificate.pem },
    headers: signedInAs('administrator', ADMIN_ROLE),
  });
  cleanups.defer(() => openSearch.close());
  openSearchFront = await startOpenSearchFront({
    node: secure.url,
    dashboards: dashboards.url,
    certificate,
    signatures,
    credentialsOf: (accessKeyId) => identities.credentialsOf(accessKeyId),
    masterPassword: async () => identities.passwordIn((await outputsOf('stateful')).MasterUserSecretArn),
  });
  cleanups.defer(() => openSearchFront.close());
  const topicMaker = await startTopics(kafka);
  cleanups.defer(() => topicMaker.close());
  const alarmClockFile = join(folder, 'alarm-clock');
  writeFileSync(alarmClockFile, '0');
  ministack = await startMiniStack({
    folder,
    logFile: join(logs, 'ministack.log'),
    kafka: kafkaFront.address,
    openSearch: openSearchFront.address,
    topicsUrl: topicMaker.url,
    alarmClockFile,
    callsFile,
    certificateFile: certificate.file,
  });
  cleanups.defer(() => ministack.stop());
  aws = {
    region: 'us-east-1',
    endpoint: ministack.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  identities = new Identities(aws, signatures);
  alarmWorld = new AlarmWorld(ministack.url, alarmClockFile, signatures);
  cdk = cdkCommand(ministack.environment, join(logs, 'cdk.log'));
});

afterAll(async () => {
  await cleanups.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

// One story: each test goes on where the one before stopped, and none does when one has failed.
let failed = false;
beforeEach(({ skip }) => {
  if (failed) skip();
});
afterEach(({ task }) => {
  failed ||= task.result?.state === 'fail';
});

describe('the app', () => {
  let assembly: string;
  let stateful: Record<string, string>;
  let stateless: Record<string, string>;
  let deployed: Deployed;

  function deployedStage(): Deployed {
    const functionName = (name: OpenSearchFunction) =>
      stateless[`${name[0]?.toUpperCase()}${name.slice(1)}FunctionName`] as string;
    return {
      aws,
      s3: new S3Client({ ...aws, forcePathStyle: true }),
      stacks: [stackName(STAGE, 'stateful'), stackName(STAGE, 'stateless')],
      assembly,
      callsFile,
      identities,
      bucket: stateful.LakeBucketName as string,
      cluster: stateful.KafkaClusterArn as string,
      topic: stateful.KafkaTopicName as string,
      consumerGroup: `crypto-market-insights-${STAGE}-index`,
      front: openSearchFront,
      kafka: kafkaFront,
      invoke: (name, event) => invoke(functionName(name), event),
      async ask(who, method, path, body = '') {
        const request = { method, url: `http://${openSearchFront.address}${path}`, body };
        const signedIn =
          who === 'reader'
            ? await identities.basic(who, stateful.ReaderUserSecretArn)
            : await identities.signedBy(functionName(who), request);
        const headers = { ...signedIn, 'content-type': 'application/json' };
        const response = await fetch(request.url, { method, headers, ...(body ? { body } : {}) });
        await response.arrayBuffer();
        return response.status;
      },
    };
  }

  it('is deployed', async () => {
    await cdk('bootstrap', 'aws://000000000000/us-east-1');
    assembly = await synth('first', {});
    await deploy(assembly);
    stateful = await outputsOf('stateful');
    stateless = await outputsOf('stateless');
    deployed = deployedStage();
    expect(Object.keys(stateless)).toEqual(
      expect.arrayContaining([
        'IndexFunctionName',
        'InsightsFunctionName',
        'OperateFunctionName',
        'FirstQuestion',
      ]),
    );
  });

  it('has the topic that CloudFormation created, with its configuration', async () => {
    const name = stateful.KafkaTopicName as string;
    expect(await retentionMsOf(name)).toBe(
      String(stageConfig(STAGE).stream.topic.retentionHours * 3_600_000),
    );
  });

  it('has the templates, roles and users that the setup resource put, signed in as the master user', async () => {
    const { body } = await openSearch.indices.getIndexTemplate({ name: 'crypto-market-insights-tickers' });
    expect(body).toMatchObject({
      index_templates: [
        { index_template: { template: { settings: { index: { refresh_interval: '30s' } } } } },
      ],
    });
    const security = async (path: string) => {
      const { body } = await openSearch.transport.request({
        method: 'GET',
        path: `/_plugins/_security/api/${path}`,
      });
      return body as Record<string, unknown>;
    };
    const ours = Object.keys(await security('roles')).filter((name) =>
      name.startsWith('crypto-market-insights-'),
    );
    expect(ours.sort()).toEqual(
      ['index', 'insights', 'operate', 'reader', 'summarise', 'watch'].map(
        (name) => `crypto-market-insights-${name}`,
      ),
    );
    expect(await security('internalusers')).toHaveProperty('reader');
    expect(await security('rolesmapping/crypto-market-insights-index')).toMatchObject({
      'crypto-market-insights-index': {
        backend_roles: [expect.stringMatching(/^arn:aws:iam::000000000000:role\/.*Indexer/)],
      },
    });
    expect(openSearchFront.refusals).toEqual([]);
  });

  it('has the dashboards that the setup resource imported', () => {
    expect(dashboards.objects.size).toBe(savedObjects().length);
  });

  it('polls on its schedule: the batch lies in the bucket and, by IAM over TLS, on the topic', async () => {
    const bucket = stateful.LakeBucketName as string;
    const keys = await eventually(
      () => keysOf(bucket, 'state/'),
      (found) => found.length > 0,
    );
    expect(keys[0]).toMatch(/^state\/exchange=bybit\/category=\w+\.json$/);
    const folders = ['inverse', 'linear', 'spot'].map((name) => `tickers/exchange=bybit/category=${name}/`);
    await eventually(
      () => keysOf(bucket, 'tickers/'),
      (batches) => folders.every((folder) => batches.some((key) => key.startsWith(folder))),
    );
    // A market's first marker is there before its first batch is on the topic.
    await eventually(
      () => recordsOnTopic(stateful.KafkaTopicName as string),
      (records) => records > 0,
    );
    expect(kafkaFront.signIns[0]?.hostname).toBe('kafka.us-east-1.amazonaws.com');
  });

  it('indexes what lies on the topic, signed in with IAM', async () => {
    const indexed: number[] = [];
    // The emulator knows the mapping but does not poll: our stand-in does, and calls the deployed function.
    const eventSource = startKafkaEventSource({
      brokers: [services.kafka],
      topic: stateful.KafkaTopicName as string,
      groupId: `crypto-market-insights-${STAGE}-index`,
      invoke: (event: MSKEvent) => invoke(stateless.IndexFunctionName as string, event),
      partialBatchResponse: false,
      bisectOnError: false,
      onBatch: ({ records }) => indexed.push(records),
      log: console,
    });
    try {
      await eventually(
        async () => indexed.length,
        (batches) => batches > 0,
      );
    } finally {
      await eventSource.stop();
    }
    await openSearch.indices.refresh({ index: 'tickers-*' });
    const { body } = await openSearch.count({ index: 'tickers' });
    expect(body.count).toBeGreaterThan(0);
    expect([...openSearchFront.roles]).toContainEqual(expect.stringMatching(/Indexer/));
    expect(openSearchFront.refusals).toEqual([]);
  });

  it('summarises, answers questions and does operators’ commands', async () => {
    const { SummariseFunctionName, InsightsFunctionName, OperateFunctionName } = stateless;
    expect(await invoke(SummariseFunctionName as string, {})).toMatchObject({ deletedMonths: [] });
    expect(await invoke(InsightsFunctionName as string, { question: 'series' })).toMatchObject({
      kind: 'answer',
    });
    expect(await invoke(OperateFunctionName as string, { operation: 'doctor', input: {} })).toMatchObject({
      progress: expect.anything(),
    });
  });

  describe('the functions, each signed in as its own role,', () => {
    everyRole(() => deployed);
  });

  describe('of what is not its own,', () => {
    beforeAll(async () => {
      for (const index of INDICES) await openSearch.indices.create({ index });
    });
    mustNot(() => deployed);
  });

  describe('alarms', () => {
    const name = (part: 'stateful' | 'stateless', place: string) => `${stackName(STAGE, part)}-${place}`;
    const heartbeat = name('stateless', 'Ingest-bybit-Heartbeat');
    const page = name('stateless', 'DataNotArriving');
    /** The emulator knows no arithmetic: these two kinds are proven nowhere but in CloudWatch. */
    const WITH_ARITHMETIC = [
      'Stream-Brokers-Alarms-Cpu1',
      'Stream-Brokers-Alarms-Cpu2',
      'Search-Alarms-WritesRejected',
    ];
    let pages: Listener;
    let notices: Listener;

    /** What the source's polls say of themselves, from a time on. */
    const emittedByPolls = async (sinceMs: number, metricName: string) => {
      const logGroup = await logGroupOf(stateless.BybitIngestFunctionName as string);
      return (await alarmWorld.emittedBy(logGroup, sinceMs)).filter(({ name }) => name === metricName);
    };

    /** Polls the next slot, and answers what the function emitted of it. */
    const pollNow = async (succeeded: number) => {
      const sinceMs = Date.now();
      const slot = new Date(Math.ceil(sinceMs / 60_000) * 60_000).toISOString();
      await invoke(stateless.BybitIngestFunctionName as string, { slot }).catch(() => undefined);
      const [poll] = await eventually(
        async () =>
          (await emittedByPolls(sinceMs, 'PollsSucceeded')).filter(({ values }) => values[0] === succeeded),
        (polls) => polls.length > 0,
      );
      if (!poll) throw new Error('no poll');
      return poll;
    };

    it('ask for what the deployed functions emit, by name and dimensions', async () => {
      await invoke(stateless.WatchFunctionName as string, {});
      await invoke(stateless.OperateFunctionName as string, HEAL_EVENT);
      const functions = ['BybitIngest', 'Index', 'Summarise', 'Watch', 'Operate'];
      const emitted = await Promise.all(
        functions.map(async (each) =>
          alarmWorld.emittedBy(await logGroupOf(stateless[`${each}FunctionName`] as string)),
        ),
      );
      const ids = new Set(emitted.flat().map(idOf));
      const own = (await alarmWorld.metricAlarms()).filter(
        ({ Namespace }) => Namespace === METRICS_NAMESPACE,
      );
      expect(own.length).toBeGreaterThan(9);
      expect(own.map((alarm) => idOf(metricOf(alarm))).filter((id) => !ids.has(id))).toEqual([]);
    });

    it('page when nothing is there, and say when the first data has come', async () => {
      pages = await alarmWorld.listenTo(stateful.PagesTopicArn as string, 'pages');
      notices = await alarmWorld.listenTo(stateful.NoticesTopicArn as string, 'notices');
      expect(await alarmWorld.stateOf(page)).toBe('ALARM');
      const watched = await alarmWorld.emittedBy(await logGroupOf(stateless.WatchFunctionName as string));
      const ages = new Map(
        watched.filter(({ name }) => name === 'NewestTickerAge').map((age) => [idOf(age), age]),
      );
      const [poll] = await emittedByPolls(0, 'PollsSucceeded');
      if (ages.size === 0 || !poll) throw new Error('nothing was emitted');
      for (const age of ages.values()) await alarmWorld.put(age, age.values[0] as number);
      await alarmWorld.put(poll, poll.values[0] as number);
      await notices.hear(heartbeat, 'OK');
      await pages.hear(page, 'OK');
    });

    it('page once for two signs of one trouble, and say when both are over', async () => {
      const freshness = ['linear', 'inverse', 'spot'].map((category) =>
        name('stateless', `Watch-Freshness-bybit-${category}`),
      );
      const freshnessAlarms = (await alarmWorld.metricAlarms()).filter(({ AlarmName }) =>
        freshness.includes(AlarmName),
      );
      expect(freshnessAlarms).toHaveLength(freshness.length);
      const putAges = async (aboveThresholdSeconds: number) => {
        for (const alarm of freshnessAlarms) {
          await alarmWorld.put(metricOf(alarm), alarm.Threshold + aboveThresholdSeconds);
        }
      };
      exchange.status = 404;
      const failed = await pollNow(0);
      exchange.status = 200;
      for (let polls = 1; polls <= 3; polls++) {
        alarmWorld.letPass(60);
        await alarmWorld.put(failed, failed.values[0] as number);
        await putAges(60 * polls);
      }
      expect((await notices.hear(heartbeat, 'ALARM')).AlarmDescription).toContain(
        'docs/runbook.md#heartbeat',
      );
      for (const alarm of freshness) await notices.hear(alarm, 'ALARM');
      await pages.hear(page, 'ALARM');

      const good = await pollNow(1);
      alarmWorld.letPass(60);
      await putAges(240);
      await alarmWorld.put(good, good.values[0] as number);
      await notices.hear(heartbeat, 'OK');
      expect(await alarmWorld.stateOf(page)).toBe('ALARM');
      alarmWorld.letPass(60);
      await putAges(-60);
      for (const alarm of freshness) await notices.hear(alarm, 'OK');
      await pages.hear(page, 'OK');
      expect(await pages.drain()).toEqual([]);
    });

    it('go off, each at its own metric, tell notices, and end', async () => {
      const alarms = await alarmWorld.metricAlarms();
      const told = new Set<string>();
      for (const alarm of alarms) {
        const { AlarmName, Period, EvaluationPeriods } = alarm;
        const { bad, good } = valuesFor(alarm);
        const metric = metricOf(alarm);
        // Beyond whatever was put before.
        alarmWorld.letPass(Period * (EvaluationPeriods + 1));
        await alarmWorld.put(metric, good);
        expect(await alarmWorld.stateOf(AlarmName), AlarmName).toBe('OK');
        alarmWorld.letPass(Period * EvaluationPeriods);
        for (let ago = EvaluationPeriods - 1; ago >= 0; ago--)
          await alarmWorld.put(metric, bad, ago * Period);
        expect(await alarmWorld.stateOf(AlarmName), AlarmName).toBe('ALARM');
        alarmWorld.letPass(Period * EvaluationPeriods);
        await alarmWorld.put(metric, good);
        expect(await alarmWorld.stateOf(AlarmName), AlarmName).toBe('OK');
      }
      for (const { AlarmName, NewStateValue } of await notices.drain())
        told.add(`${AlarmName} ${NewStateValue}`);
      const untold = alarms.filter(
        ({ AlarmName }) => !told.has(`${AlarmName} ALARM`) || !told.has(`${AlarmName} OK`),
      );
      expect(untold.map(({ AlarmName }) => AlarmName)).toEqual([]);
    });

    it('are all of the template’s, but those with arithmetic', async () => {
      const template = JSON.stringify(
        ['stateful', 'stateless'].map((part) =>
          JSON.parse(
            readFileSync(join(assembly, `${stackName(STAGE, part as 'stateful')}.template.json`), 'utf8'),
          ),
        ),
      );
      const inTemplate = [...template.matchAll(/"AlarmName":"([^"]+)"/g)].map(([, each]) => each);
      const inCloudWatch = [page, ...(await alarmWorld.metricAlarms()).map(({ AlarmName }) => AlarmName)];
      expect(inTemplate.filter((each) => !inCloudWatch.includes(each as string)).sort()).toEqual(
        WITH_ARITHMETIC.map((place) => name('stateful', place)).sort(),
      );
    });
  });

  it('refuses a setting that the deployed stage cannot change, unless it is accepted', async () => {
    const zones = { network: { zones: ['us-east-1a', 'us-east-1b'] } };
    await expect(synth('moved', zones)).rejects.toThrow(
      /is deployed, and\n- network\.zones cannot change from "not set" to \["us-east-1a","us-east-1b"\]: it replaces the subnets/,
    );
    await synth('moved', zones, '-c', 'acceptReplacement=network.zones');
  });

  it('is looked at by preflight, which finds it deployed, and says what the endpoint does not tell', async () => {
    const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
    const args = ['preflight', '--stage', STAGE, '--settings', join(folder, 'first.json'), '--json'];
    const stdout = await new Promise<string>((resolve) => {
      const options = { env: { ...process.env, ...ministack.environment } };
      execFile(process.execPath, [main, ...args], options, (_, text) => resolve(text));
    });
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; finding: string }[] };
    const found = Object.fromEntries(checks.map(({ name, ...check }) => [name, check]));
    expect(found.account).toMatchObject({ status: 'ok' });
    expect(found.stage).toMatchObject({ status: 'ok', finding: expect.stringContaining('is deployed') });
    expect(found.bootstrap).toMatchObject({ status: 'ok' });
    expect(found['source bybit']).toMatchObject({ status: 'ok' });
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
  });

  it('gives a user of OpenSearch a new password, with which setup signs in', async () => {
    const before = await identities.passwordIn(stateful.MasterUserSecretArn);
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [fileURLToPath(new URL('../../cli/main.ts', import.meta.url)), 'rotate', '--stage', STAGE],
      { env: { PATH: process.env.PATH, ...ministack.environment } },
    );
    const after = await identities.passwordIn(stateful.MasterUserSecretArn);
    expect(after).not.toBe(before);
    expect(stdout).toMatch(/^✔ The user master of stage dev has a new password/);
    expect(stdout + stderr).not.toContain(after);
  });

  it('deployed again without a change changes nothing', async () => {
    const output = await deploy(assembly);
    expect(output.match(/\(no changes\)/g)).toHaveLength(2);
  });

  it('takes a change: setup puts the new templates, and a new source has its alarms', async () => {
    const changed = await synth('second', {
      search: { indices: { refreshInterval: '15s' } },
      sources: [
        { ...bybit, samplingIntervalMinutes: 1, apiUrl: exchange.url, apiIsPrivate: true },
        {
          ...bybit,
          name: 'mirror',
          exchange: 'mirror',
          samplingIntervalMinutes: 60,
          apiUrl: exchange.url,
          apiIsPrivate: true,
        },
      ],
    });
    await deploy(changed);
    const { body } = await openSearch.indices.getIndexTemplate({ name: 'crypto-market-insights-tickers' });
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
    await deploy(assembly);
    expect(await alarmsOf('mirror')).toEqual([]);
  });

  describe('IAM', () => {
    onlyWhatIsAllowed(() => deployed);
  });

  it('is destroyed to the last resource, with a lake that was not empty', async () => {
    await cdk('destroy', '--all', '--force', '--app', assembly);
    const { Stacks = [] } = await new CloudFormationClient(aws).send(new DescribeStacksCommand({}));
    const left = Stacks.filter(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE').map(
      ({ StackName }) => StackName,
    );
    expect(left).toEqual(['CDKToolkit']);
    await expect(keysOf(stateful.LakeBucketName as string, '')).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
    expect(await topics()).not.toContain(stateful.KafkaTopicName);
  });
});
