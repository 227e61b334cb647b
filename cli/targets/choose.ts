import type { Command } from 'commander';
import type { ServiceName } from '../../local/engines/engines.ts';
import { withServices } from '../../local/pipeline/services.ts';
import { brokers, httpUrl, withFolderOption } from '../options.ts';
import { withLocalTarget } from './local.ts';
import type { Target } from './target.ts';

export interface TargetFlags {
  folder: string;
  stage?: string;
  kafka?: string;
  opensearch?: string;
  s3?: string;
}

/** Adds the options that choose the target: {@link TargetFlags}. */
export function withTargetOptions(command: Command): Command {
  return withFolderOption(
    command
      .option('--stage <name>', 'a deployed stage instead of this machine; needs AWS credentials')
      .option('--kafka <host:port,…>', 'on this machine: use the Kafka of these brokers', brokers)
      .option('--opensearch <url>', 'on this machine: use this OpenSearch', httpUrl)
      .option('--s3 <url>', 'on this machine: use this S3 server', httpUrl),
  );
}

/**
 * Runs work on the target that the flags name. If no pipeline runs on this machine, the engines it needs are started
 * on the data of the last run and stopped again.
 */
export async function withTarget<T>(
  flags: TargetFlags,
  needs: readonly ServiceName[],
  signal: AbortSignal,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  if (flags.stage !== undefined) {
    const { stageTarget } = await import('./stage.ts'); // the AWS SDK takes a moment to load
    return work(stageTarget(flags.stage));
  }
  const { folder, kafka, opensearch: openSearch, s3 } = flags;
  const given = { kafka, openSearch, s3 };
  return withServices({ folder, given, needs, signal }, (stores, place) =>
    withLocalTarget(folder, stores, place, work),
  );
}
