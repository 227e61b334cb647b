import { type Artifacts, type DownloadProgress, fetchArtifacts } from '../engines/artifacts.ts';
import { ENGINES, type Engines, SERVICES, startEngines, stopEngines } from '../engines/engines.ts';
import { describeExit } from '../engines/java-process.ts';
import { findJdk, type Jdk } from '../engines/jdk.ts';
import { withoutCredentials } from '../engines/s3-client.ts';
import type { PipelineHooks, PipelineOptions, StepProgress } from './options.ts';

/** An engine of the pipeline ended unexpectedly. */
export class EngineDiedError extends Error {
  override readonly name = 'EngineDiedError';
}

/** Starts an engine for each service that was not given; the first start downloads them. */
export async function startPipelineEngines(
  options: PipelineOptions,
  hooks: PipelineHooks,
  cleanups: AsyncDisposableStack,
): Promise<Engines> {
  const { folder, servers, ports } = options;
  const { step, signal } = hooks;
  const missing = SERVICES.filter((service) => servers[service] === undefined);
  if (missing.length === 0) return {};

  const fetching = Promise.withResolvers<{ jdk: Jdk; artifacts: Artifacts }>();
  const fetched = step('Engines', async ({ note, progress }) => {
    const jdk = await findJdk();
    const onProgress = downloadView(progress);
    const artifacts = await fetchArtifacts({ folder: `${folder}/engines`, jdk, onProgress, signal });
    fetching.resolve({ jdk, artifacts });
    await Promise.all(missing.map((service) => artifacts.ready[ENGINES[service].name]));
    note(`JDK ${jdk.major}`);
  });
  fetched.catch(fetching.reject);
  const { jdk, artifacts } = await fetching.promise;
  // An engine starts as soon as its own jars are there.
  const engines = await startEngines(missing, async ({ name, title, start }) => {
    await artifacts.ready[name];
    return step(title, async ({ note }) => {
      const engine = await start({ jdk, jars: artifacts.jars, folder, port: ports[name], signal });
      note(withoutCredentials(engine.url));
      return engine;
    });
  });
  const stopWatching = watchEngines(engines, hooks.onEngineDied);
  cleanups.defer(() => {
    stopWatching();
    return stopEngines(engines);
  });
  return engines;
}

/** Shows how much has come, and how long the rest will take at that speed. */
function downloadView(show: StepProgress['progress']): (progress: DownloadProgress) => void {
  let began: { ms: number; bytes: number } | undefined;
  return ({ doneBytes, totalBytes }) => {
    const now = { ms: performance.now(), bytes: doneBytes };
    // Maven first fetches itself what it needs, which would make the rest look slow.
    if (doneBytes > 0) began ??= now;
    const msPerByte =
      began && now.bytes > began.bytes ? (now.ms - began.ms) / (now.bytes - began.bytes) : undefined;
    const left =
      msPerByte === undefined ? '' : `, ${formatSeconds((totalBytes - doneBytes) * msPerByte)} left`;
    show(doneBytes / totalBytes, `${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB${left}`);
  };
}

const megabytes = (bytes: number) => Math.round(bytes / 1_000_000);
const formatSeconds = (ms: number) => `${Math.ceil(ms / 1_000)} s`;

function watchEngines(engines: Engines, onDied: (error: EngineDiedError) => void): () => void {
  let stopping = false;
  for (const service of SERVICES) {
    const engine = engines[service];
    engine?.exited.then((exit) => {
      if (stopping) return;
      const what = `${ENGINES[service].title} (pid ${engine.pid}) ended unexpectedly: ${describeExit(exit)}`;
      onDied(new EngineDiedError(`${what}. The end of ${engine.logFile}:\n${exit.logTail}`));
    });
  }
  return () => {
    stopping = true;
  };
}
