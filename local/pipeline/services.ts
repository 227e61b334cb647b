import { existsSync } from 'node:fs';
import { ensureArtifacts, needsDownload } from '../engines/artifacts.ts';
import {
  ENGINES,
  type ServiceName,
  type ServiceUrls,
  serviceUrls,
  startEngines,
  stopEngines,
} from '../engines/engines.ts';
import { stopLeftovers } from '../engines/pid-file.ts';
import { checkRequirements } from '../engines/requirements.ts';
import { withoutCredentials } from '../engines/s3-client.ts';
import { readEndpoints, s3UrlOf } from './endpoints.ts';
import { takeLock } from './lock.ts';

/** No pipeline is running, and no earlier one left data. */
export class NoPipelineError extends Error {
  override readonly name = 'NoPipelineError';
}

/**
 * Does some work with the stores of this machine's pipeline: the given servers, those of the running pipeline or,
 * if none is running, engines started for the work on the data of the last run.
 *
 * @param needs the stores that the work uses; the addresses of others may be ""
 * @param work its `place` identifies the stores that it uses, also after a restart: the folder's own
 *   engines may then listen on other ports
 * @throws NoPipelineError if there is nothing to work with
 */
export async function withServices<T>(
  options: {
    folder: string;
    given: { [N in ServiceName]?: string | undefined };
    needs: readonly ServiceName[];
    signal: AbortSignal;
  },
  work: (urls: ServiceUrls, place: readonly string[]) => Promise<T>,
): Promise<T> {
  const { folder, given, needs, signal } = options;
  const running = readEndpoints(folder);
  const ofRun = running && { ...running, kafka: running.kafka.join(','), s3: s3UrlOf(running) };
  const known = serviceUrls((name) => given[name] ?? ofRun?.[name]);
  const missing = needs.filter((name) => known[name] === '');
  const isOwn = (name: ServiceName) =>
    missing.includes(name) || (given[name] === undefined && running?.pids[ENGINES[name].name] !== undefined);
  const place = needs.map(
    (name) => `${name}: ${isOwn(name) ? 'of this folder' : withoutCredentials(known[name])}`,
  );
  if (missing.length === 0) return work(known, place);
  if (!existsSync(`${folder}/data`)) {
    throw new NoPipelineError(
      `There is no pipeline in ${folder}: none is running and none has left data there. Start one with "npm start".`,
    );
  }
  const lock = takeLock(folder);
  try {
    await stopLeftovers(folder);
    const jarFolder = `${folder}/engines`;
    const jdk = await checkRequirements(folder, await needsDownload(jarFolder));
    const jars = await ensureArtifacts({ folder: jarFolder, jdk, signal });
    const engines = await startEngines(missing, ({ start }) => start({ jdk, jars, folder, signal }));
    try {
      return await work(
        serviceUrls((name) => engines[name]?.url ?? known[name]),
        place,
      );
    } finally {
      await stopEngines(engines);
    }
  } finally {
    lock.release();
  }
}
