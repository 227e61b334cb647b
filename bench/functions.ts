import type { Context } from 'aws-lambda';
import { s3Environment } from '../local/engines/s3-client.ts';
import type { BenchContext } from './target.ts';

type IndexHandler = typeof import('../lambdas/index/handler.ts')['handler'];

/** Puts what every deployed function has in its environment into ours. */
export function setEnvironment(
  urls: Pick<BenchContext['urls'], 'openSearch' | 's3'>,
  bucket: string,
  own: Record<string, string>,
): void {
  Object.assign(process.env, {
    OPENSEARCH_URL: urls.openSearch,
    LAKE_BUCKET: bucket,
    STAGE: 'bench',
    ...s3Environment(urls.s3),
    POWERTOOLS_LOG_LEVEL: 'ERROR',
    ...own,
  });
}

/** The real index handler, in the environment of a deployment. */
export async function loadIndexHandler(urls: { openSearch: string; s3: string }): Promise<IndexHandler> {
  setEnvironment(urls, 'bench', { PARTIAL_BATCH_RESPONSE: 'false' });
  return (await import('../lambdas/index/handler.ts')).handler;
}

/** A Lambda context with a minute left. */
export function lambdaContext(): Context {
  const endMs = Date.now() + 60_000;
  return { getRemainingTimeInMillis: () => endMs - Date.now() } as Context;
}
