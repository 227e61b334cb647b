import { type DownloadProgress, ensureArtifacts, JAR_COUNTS } from '../engines/artifacts.ts';
import { ENGINES, type Engines, SERVICES, startEngines, stopEngines } from '../engines/engines.ts';
import { describeExit } from '../engines/java-process.ts';
import { findJdk } from '../engines/jdk.ts';
import { withoutCredentials } from '../engines/s3-client.ts';
import type { PipelineHooks, PipelineOptions } from './options.ts';

/** An engine of the pipeline ended unexpectedly. */
export class EngineDiedError extends Error {
  override readonly name = 'EngineDiedError';
}

const TOTAL_JARS = Object.values(JAR_COUNTS).reduce((sum, count) => sum + count, 0);

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

  const { jdk, jars } = await step('Engines', async ({ note, progress }) => {
    const jdk = await findJdk();
    const downloads = new Map<string, DownloadProgress>();
    const onProgress = (download: DownloadProgress) => {
      downloads.set(download.engine, download);
      const done = [...downloads.values()].reduce((sum, each) => sum + each.done, 0);
      progress(done / TOTAL_JARS, `downloading ${download.engine}`);
    };
    const jars = await ensureArtifacts({ folder: `${folder}/engines`, jdk, onProgress, signal });
    note(`JDK ${jdk.major}`);
    return { jdk, jars };
  });

  const engines = await startEngines(missing, ({ name, title, start }) =>
    step(title, async ({ note }) => {
      const engine = await start({ jdk, jars, folder, port: ports[name], signal });
      note(withoutCredentials(engine.url));
      return engine;
    }),
  );
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
