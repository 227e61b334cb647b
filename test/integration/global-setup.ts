import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { ensureArtifacts } from '../../local/engines/artifacts.ts';
import type { Engine } from '../../local/engines/engine.ts';
import { findJdk } from '../../local/engines/jdk.ts';
import { startKafka } from '../../local/engines/kafka.ts';
import { startOpenSearch } from '../../local/engines/opensearch.ts';
import { parsePidFile, stopLeftovers } from '../../local/engines/pid-file.ts';
import { anyFreePort } from '../../local/engines/ports.ts';
import { identifyProcess, isSameProcess } from '../../local/engines/process-identity.ts';
import { startS3 } from '../../local/engines/s3.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the engines of this test run listen. */
    services: {
      /** `127.0.0.1:port` */
      kafka: string;
      /** `http://127.0.0.1:port` */
      openSearch: string;
      /** `http://127.0.0.1:port` */
      s3: string;
    };
    /** For tests that start engines of their own: where the jars are … */
    artifactsFolder: string;
    /** … and the run's folder: what is started in a folder inside is stopped with the run, however it ends. */
    runFolder: string;
  }
}

const ARTIFACTS = fileURLToPath(new URL('../../.local/engines', import.meta.url));
const FOLDER_PREFIX = 'crypto-market-insights-test-';

/** One Kafka, one OpenSearch and one S3 server for the whole run, in a folder of their own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandonedRuns();
  const jdk = await findJdk();
  const jars = await ensureArtifacts({ folder: ARTIFACTS, jdk, onProgress: reportDownload });
  const folder = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
  await writeFile(join(folder, 'owner.json'), JSON.stringify(identifyProcess(process.pid)));

  const givenUp = new AbortController();
  const starts = [startKafka, startOpenSearch, startS3].map(async (startOne) =>
    // Not the usual ports: those belong to a pipeline that may be running beside the tests.
    startOne({ jdk, jars, folder, port: await anyFreePort(), signal: givenUp.signal }),
  );
  const stopAll = async (): Promise<void> => {
    givenUp.abort(new Error('The test run was interrupted'));
    const results = await Promise.allSettled(starts);
    await Promise.all(results.map((one) => (one.status === 'fulfilled' ? one.value.stop() : undefined)));
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
    const [kafka, openSearch, s3] = (await Promise.all(starts)) as [Engine, Engine, Engine];
    project.provide('services', { kafka: kafka.url, openSearch: openSearch.url, s3: s3.url });
    project.provide('artifactsFolder', ARTIFACTS);
    project.provide('runFolder', folder);
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}

/**
 * Vitest ends at a signal without any teardown, and the engines are in groups that no Ctrl-C reaches. It may end
 * before the engines have: then `killNow` has the last word.
 */
function stopOnSignal(stopAll: () => Promise<void>): () => void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    // A repeated signal never shortens the shutdown.
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

function reportDownload({ engine, done, total }: { engine: string; done: number; total: number }): void {
  if (done === 0 || done === total) console.log(`Downloading ${engine}: ${done} of ${total} jars`);
}

/** A run that was killed could not clean up: the next one does, unless its owner is still at work. */
async function removeAbandonedRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    const folder = join(tmpdir(), name);
    const owner = parsePidFile(await readFile(join(folder, 'owner.json'), 'utf8').catch(() => ''));
    // Without a note of its owner it is being made right now, or not ours.
    if (owner === undefined || isSameProcess(owner)) continue;
    await removeRun(folder);
  }
}

/** What can still be done while the process exits. */
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
