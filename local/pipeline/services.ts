import { existsSync } from 'node:fs';
import { ensureArtifacts } from '../engines/artifacts.ts';
import type { Engine } from '../engines/engine.ts';
import { findJdk } from '../engines/jdk.ts';
import { startKafka } from '../engines/kafka.ts';
import { startOpenSearch } from '../engines/opensearch.ts';
import { stopLeftovers } from '../engines/pid-file.ts';
import { startS3 } from '../engines/s3.ts';
import { readEndpoints } from './endpoints.ts';
import { takeLock } from './lock.ts';

/** Where a command finds the stores of the pipeline on this machine. */
export interface ServiceUrls {
  /** `host:port` */
  kafka: string;
  openSearch: string;
  s3: string;
}

export type ServiceName = keyof ServiceUrls;

/** There is neither a running pipeline nor data of an earlier one. */
export class NoPipelineError extends Error {
  override readonly name = 'NoPipelineError';
}

const STARTERS = { kafka: startKafka, openSearch: startOpenSearch, s3: startS3 };

/**
 * Does something with the stores of this machine's pipeline: the servers that were named, those of the pipeline
 * that is running, or else, for as long as it takes, engines started on the data of the last run.
 *
 * @param needs the stores that the work uses; the others' addresses are "" where nothing runs
 * @throws NoPipelineError where there is nothing to work with
 */
export async function withServices<T>(
  options: {
    folder: string;
    given: { [N in ServiceName]?: string | undefined };
    needs: readonly ServiceName[];
    signal: AbortSignal;
  },
  work: (urls: ServiceUrls) => Promise<T>,
): Promise<T> {
  const { folder, given, needs, signal } = options;
  const running = readEndpoints(folder);
  const urls: ServiceUrls = {
    kafka: given.kafka ?? running?.kafka[0] ?? '',
    openSearch: given.openSearch ?? running?.openSearch ?? '',
    s3: given.s3 ?? running?.s3 ?? '',
  };
  const missing = needs.filter((name) => urls[name] === '');
  if (missing.length === 0) return work(urls);
  if (!existsSync(`${folder}/data`)) {
    throw new NoPipelineError(
      `There is no pipeline in ${folder}: none is running and no data of an earlier one is there. Start it with "npm start".`,
    );
  }
  const lock = takeLock(folder);
  const engines: Engine[] = [];
  try {
    await stopLeftovers(folder);
    const jdk = await findJdk();
    const jars = await ensureArtifacts({ folder: `${folder}/engines`, jdk, signal });
    const starts = missing.map(async (name) => {
      const engine = await STARTERS[name]({ jdk, jars, folder, signal });
      engines.push(engine);
      urls[name] = engine.url;
    });
    const failure = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected');
    if (failure?.status === 'rejected') throw failure.reason;
    return await work(urls);
  } finally {
    await Promise.all(engines.map((engine) => engine.stop()));
    lock.release();
  }
}
