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
  cleanups.defer(() => {
    stopWatching();
    return stopEngines(engines);
  });
  return engines;
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
