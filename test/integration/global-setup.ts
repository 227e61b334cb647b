import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { type DownloadProgress, ensureArtifacts } from '../../local/engines/artifacts.ts';
import {
  type Engines,
  SERVICES,
  type ServiceName,
  type ServiceUrls,
  serviceUrls,
  startEngines,
  stopEngines,
} from '../../local/engines/engines.ts';
import { findJdk } from '../../local/engines/jdk.ts';
import { parsePidFile, stopLeftovers } from '../../local/engines/pid-file.ts';
import { anyFreePort } from '../../local/engines/ports.ts';
import { identifyProcess, isSameProcess } from '../../local/engines/process-identity.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the engines of this test run listen. */
    services: ServiceUrls;
    /** For tests that start more engines: the folder of the jars … */
    artifactsFolder: string;
    /** … and the folder of the run: engines started in a subfolder are stopped with the run, however it ends. */
    runFolder: string;
  }
}

const ARTIFACTS = fileURLToPath(new URL('../../.local/engines', import.meta.url));
const FOLDER_PREFIX = 'crypto-market-insights-test-';

/** Code that runs for minutes does not earn back what Java's optimising compiler takes of the two cores. */
const QUICK_JAVA = '-XX:TieredStopAtLevel=1';

/** Starts one Kafka, one OpenSearch and one S3 server for the whole run, in a temporary folder. */
export default (project: TestProject) => startRun(project, SERVICES);

export async function startRun(
  project: TestProject,
  services: readonly ServiceName[],
): Promise<() => Promise<void>> {
  await removeAbandonedRuns();
  // Also for the engines that tests and the commands under test start.
  process.env.JAVA_TOOL_OPTIONS = `${process.env.JAVA_TOOL_OPTIONS ?? ''} ${QUICK_JAVA}`.trim();
  const jdk = await findJdk();
  const jars = await ensureArtifacts({ folder: ARTIFACTS, jdk, onProgress: reportDownload });
  const folder = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
  await writeFile(join(folder, 'owner.json'), JSON.stringify(identifyProcess(process.pid)));

  const givenUp = new AbortController();
  const starting = startEngines(services, async ({ start }) =>
    // Not the usual ports, which a pipeline on this machine may be using.
    start({ jdk, jars, folder, port: await anyFreePort(), signal: givenUp.signal }),
  );
  const stopAll = async (): Promise<void> => {
    givenUp.abort(new Error('The test run was interrupted'));
    await stopEngines(await starting.catch((): Engines => ({})));
    await removeRun(folder);
  };
  const forgetSignals = stopOnSignal(stopAll);
  const onExit = (): void => killNow(folder);
  process.on('exit', onExit);
  const teardown = async (): Promise<void> => {
    await stopAll();
    forgetSignals();
    process.off('exit', onExit);
  };
  try {
    const engines = await starting;
    project.provide(
      'services',
      serviceUrls((name) => engines[name]?.url),
    );
    project.provide('artifactsFolder', ARTIFACTS);
    project.provide('runFolder', folder);
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}

/**
 * On a signal Vitest exits without teardown, and Ctrl-C does not reach the engines' process groups. If it exits before
 * the engines have stopped, `killNow` kills them.
 */
function stopOnSignal(stopAll: () => Promise<void>): () => void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    // A repeated signal does not cut the shutdown short.
    if (stopping) return;
    stopping = true;
    void stopAll().finally(() => {
      forget();
      process.kill(process.pid, signal);
    });
  };
  const forget = (): void => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return forget;
}

function reportDownload({ doneBytes, totalBytes }: DownloadProgress): void {
  if (doneBytes === 0 || doneBytes === totalBytes) {
    console.log(`Downloading engines: ${doneBytes} of ${totalBytes} bytes`);
  }
}

/** Cleans up after runs that were killed, but not after those whose owner is still running. */
async function removeAbandonedRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    const folder = join(tmpdir(), name);
    const owner = parsePidFile(await readFile(join(folder, 'owner.json'), 'utf8').catch(() => ''));
    // Without an owner's note it is just being created, or it is not ours.
    if (owner === undefined || isSameProcess(owner)) continue;
    await removeRun(folder);
  }
}

/** The part of the cleanup that works while the process exits. */
function killNow(folder: string): void {
  if (!existsSync(folder)) return;
  for (const file of globSync('{run,*/run}/*.json', { cwd: folder })) {
    const identity = parsePidFile(readFileSync(join(folder, file), 'utf8'));
    if (identity && isSameProcess(identity)) process.kill(identity.pid, 'SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function removeRun(folder: string): Promise<void> {
  const inside = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  await Promise.all([folder, ...inside.map(({ name }) => join(folder, name))].map(stopLeftovers));
  await rm(folder, { recursive: true, force: true });
}
