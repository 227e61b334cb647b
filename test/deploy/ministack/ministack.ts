import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { LOOPBACK } from '../../../core/runtime/loopback-server.ts';
import { pythonTool } from '../../python/python-tool.ts';

const START_LIMIT_MS = 60_000;

/** A local AWS endpoint. */
export interface MiniStack {
  url: string;
  /** For clients, and for the CDK's command line. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

export interface MiniStackOptions {
  port: number;
  /** Holds its data. */
  folder: string;
  logFile: string;
  /** Where the deployed functions find Kafka: `host:port`, IAM over TLS. */
  kafka: string;
  /** Where they find OpenSearch: `host:port`. */
  openSearch: string;
  /** Makes and deletes topics, see launch.py. */
  topicsUrl: string;
  /** Holds how many seconds the alarms' time is ahead, see alarms.py. */
  alarmClockFile: string;
  /** Every call of a role is added to it, see calls.py. */
  callsFile: string;
  /** PEM file with a certificate that the functions trust besides the usual authorities. */
  certificateFile: string;
}

/** MiniStack did not come up; its log says why. */
export class MiniStackError extends Error {
  override readonly name = 'MiniStackError';
}

/** Starts MiniStack on this machine. @throws MiniStackError, PythonToolError */
export async function startMiniStack(options: MiniStackOptions): Promise<MiniStack> {
  const { port, folder, logFile, kafka, openSearch, topicsUrl, alarmClockFile, callsFile, certificateFile } =
    options;
  const bin = await pythonTool('ministack');
  const url = `http://${LOOPBACK}:${port}`;
  const account = {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  const nodeModules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
  const log = createWriteStream(logFile);
  const child = spawn(`${bin}/python`, [fileURLToPath(new URL('./launch.py', import.meta.url))], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...account,
      // Keeps the folder of launch.py clean.
      PYTHONDONTWRITEBYTECODE: '1',
      HOME: folder,
      TMPDIR: folder,
      // The functions run with the first node on the path: ours.
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      // AWS's Node runtime holds the SDK, which CDK's own functions count on.
      NODE_PATH: [nodeModules, process.env.NODE_PATH].filter(Boolean).join(delimiter),
      NODE_EXTRA_CA_CERTS: certificateFile,
      GATEWAY_PORT: String(port),
      BIND_HOST: LOOPBACK,
      MINISTACK_HOST: LOOPBACK,
      MINISTACK_MSK_BOOTSTRAP_SASL_IAM: kafka,
      MINISTACK_OPENSEARCH_ENDPOINT: openSearch,
      TOPICS_URL: topicsUrl,
      ALARM_CLOCK: alarmClockFile,
      // Signatures are verified, and a role may do what its policies allow.
      AUTH: 'true',
      CALLS_FILE: callsFile,
    },
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const stop = () => stopProcess(child).then(() => void log.end());
  try {
    await untilItAnswers(url, child, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, environment: account, stop };
}

async function untilItAnswers(url: string, child: ChildProcess, logFile: string): Promise<void> {
  for (const endMs = Date.now() + START_LIMIT_MS; Date.now() < endMs; await wait(100)) {
    if (child.exitCode !== null) throw new MiniStackError(`MiniStack ended at once; see ${logFile}`);
    const healthy = await fetch(`${url}/_ministack/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (healthy) return;
  }
  throw new MiniStackError(`MiniStack did not answer within ${START_LIMIT_MS / 1_000} s; see ${logFile}`);
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await exit;
  clearTimeout(late);
}

/** The credentials with which MiniStack starts a function, derived as it derives them. */
export function credentialsOfFunction({ FunctionArn, Role }: FunctionConfiguration) {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const digest = sha256(`${FunctionArn}:${Role}`);
  return {
    roleArn: String(Role),
    accessKeyId: `ASIA${digest.slice(0, 16).toUpperCase()}`,
    secretAccessKey: sha256(`secret:${digest}`),
    sessionToken: sha256(`token:${digest}`),
  };
}
