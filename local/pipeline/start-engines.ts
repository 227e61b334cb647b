import { type Artifacts, fetchArtifacts, needsDownload } from '../engines/artifacts.ts';
import { ENGINES, type Engines, SERVICES, startEngines, stopEngines } from '../engines/engines.ts';
import { describeExit } from '../engines/java-process.ts';
import type { Jdk } from '../engines/jdk.ts';
import { checkRequirements } from '../engines/requirements.ts';
import { withoutCredentials } from '../engines/s3-client.ts';
import { downloadView } from './download-view.ts';
import type { PipelineHooks, PipelineOptions } from './options.ts';

/** An engine of the pipeline ended unexpectedly. */
export class EngineDiedError extends Error {
  override readonly name = 'EngineDiedError';
}

/** By then the history is loaded and the first polls are done. */
const QUIET_AFTER_MS = 40_000;

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
    const jarFolder = `${folder}/engines`;
    const jdk = await checkRequirements(folder, await needsDownload(jarFolder));
    const onProgress = downloadView(progress);
    const artifacts = await fetchArtifacts({ folder: jarFolder, jdk, onProgress, signal });
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
  const stopPreparing = prepareNextStart(engines);
  cleanups.defer(() => {
    stopWatching();
    stopPreparing();
    return stopEngines(engines);
  });
  return engines;
}

/** One engine after the other, so that the pipeline keeps most of the processor. */
function prepareNextStart(engines: Engines): () => void {
  const stop = new AbortController();
  const prepare = async () => {
    for (const engine of Object.values(engines)) await engine.prepareNextStart(stop.signal);
  };
  const timer = setTimeout(prepare, QUIET_AFTER_MS);
  return () => {
    clearTimeout(timer);
    stop.abort();
  };
}

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
