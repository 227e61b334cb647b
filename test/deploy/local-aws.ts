import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { IAMClient } from '@aws-sdk/client-iam';
import { Client } from '@opensearch-project/opensearch';
import { logLevel } from 'kafkajs';
import { LOOPBACK } from '../../core/runtime/loopback-server.ts';
import { stackName } from '../../lib/config/derived.ts';
import { findJdk } from '../../local/engines/jdk.ts';
import { anyFreePort } from '../../local/engines/ports.ts';
import { Kafka } from '../../stores/kafka/kafkajs.ts';
import { startFakeBybit } from '../integration/lambdas/local-servers.ts';
import { startDashboardsServer } from '../unit/lambdas/setup/dashboards-server.ts';
import { AlarmWorld } from './alarms.ts';
import { cdkCommand } from './cdk.ts';
import { makeCertificate } from './certificate.ts';
import { Identities } from './identities.ts';
import { startMiniStack } from './ministack/ministack.ts';
import { signedInAs, startOpenSearchFront } from './opensearch-front.ts';
import { iamAccess } from './secure-kafka/access.ts';
import { startSecureKafka } from './secure-kafka/broker.ts';
import { startKafkaFront } from './secure-kafka/front.ts';
import { ADMIN_ROLE, startSecureOpenSearch } from './secure-opensearch/secure-opensearch.ts';
import { startSignatures } from './signatures/signatures.ts';
import { startTopics } from './topics.ts';

export const STAGE = 'dev';

/** The parts of AWS that run on this machine. docs/aws.md says which are real and which are only recorded. */
export type LocalAws = Awaited<ReturnType<typeof startLocalAws>>;

/**
 * Starts it, with nothing deployed.
 * @param run.folder for its data; engines in it are stopped with the run
 * @param run.logs keeps the output of the CDK and MiniStack
 * @param cleanups gets what stops it again
 */
export async function startLocalAws(
  run: { artifactsFolder: string; folder: string; logs: string },
  cleanups: AsyncDisposableStack,
) {
  const { folder, logs, artifactsFolder } = run;
  const started = <Service extends { close(): Promise<void> }>(service: Service): Service => {
    cleanups.defer(() => service.close());
    return service;
  };
  const [port, jdk] = [await anyFreePort(), await findJdk()];
  const aws = {
    region: 'us-east-1',
    endpoint: `http://${LOOPBACK}:${port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };

  const certificate = await makeCertificate(jdk, folder);
  const engine = { jdk, artifactsFolder };
  const [secureOpenSearch, broker] = await Promise.all([
    startSecureOpenSearch({ ...engine, folder: join(folder, 'opensearch'), certificate }),
    startSecureKafka({ ...engine, folder: join(folder, 'kafka') }),
  ]);
  cleanups.defer(() => secureOpenSearch.stop());
  cleanups.defer(() => broker.stop());

  const cloudFormation = new CloudFormationClient(aws);
  /** A stack's outputs, by name. */
  async function outputsOf(part: 'stateful' | 'stateless'): Promise<Record<string, string>> {
    const { Stacks } = await cloudFormation.send(
      new DescribeStacksCommand({ StackName: stackName(STAGE, part) }),
    );
    const outputs = Stacks?.[0]?.Outputs ?? [];
    return Object.fromEntries(outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
  }
  const outputOf = async (name: string) => (await outputsOf('stateful'))[name] as string;
  const signatures = started(await startSignatures());
  const identities = new Identities(aws, signatures);
  const credentialsOf = (accessKeyId: string) => identities.credentialsOf(accessKeyId);

  const kafkaAdmin = new Kafka({
    clientId: 'test',
    brokers: [broker.url],
    logLevel: logLevel.NOTHING,
  }).admin();
  await kafkaAdmin.connect();
  cleanups.defer(() => kafkaAdmin.disconnect());
  const signIn = iamAccess({
    ...{ admin: kafkaAdmin, iam: new IAMClient(aws), signatures, credentialsOf },
    clusterArn: () => outputOf('KafkaClusterArn'),
  });
  const kafkaFront = started(await startKafkaFront(broker.signInAddress, certificate, signIn));
  const topicMaker = started(await startTopics(kafkaAdmin));

  const headers = signedInAs('administrator', ADMIN_ROLE);
  const openSearch = started(
    new Client({ node: secureOpenSearch.url, ssl: { ca: certificate.pem }, headers }),
  );
  const dashboards = started(await startDashboardsServer('/_dashboards'));
  const openSearchFront = started(
    await startOpenSearchFront({
      ...{ node: secureOpenSearch.url, dashboards: dashboards.url, certificate, signatures, credentialsOf },
      masterPassword: async () => identities.passwordIn(await outputOf('MasterUserSecretArn')),
    }),
  );

  const alarmClockFile = join(folder, 'alarm-clock');
  writeFileSync(alarmClockFile, '0');
  const callsFile = join(logs, 'calls.jsonl');
  const ministack = await startMiniStack({
    port,
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

  return {
    /** For clients of the person who deploys … */
    aws,
    /** … and for the person's commands. */
    environment: ministack.environment,
    cdk: cdkCommand(ministack.environment, join(logs, 'cdk.log')),
    outputsOf,
    /** Every call of a role, see ministack/calls.py. */
    callsFile,
    certificate,
    identities,
    alarmWorld: new AlarmWorld(aws.endpoint, alarmClockFile, signatures),
    exchange: started(await startFakeBybit()),
    dashboards,
    broker,
    /** Of the superuser. */
    kafkaAdmin,
    kafkaFront,
    /** As an administrator beside the front. */
    openSearch,
    openSearchFront,
  };
}
