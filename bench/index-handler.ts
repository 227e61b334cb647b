import type { BenchContext } from './target.ts';

type IndexHandler = typeof import('../lambdas/index/handler.ts')['handler'];

/** The environment that every deployed function has. */
export function commonEnvironment(
  urls: Pick<BenchContext['urls'], 'openSearch' | 's3'>,
  bucket: string,
): Record<string, string> {
  return {
    OPENSEARCH_URL: urls.openSearch,
    LAKE_BUCKET: bucket,
    STAGE: 'bench',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_S3: urls.s3,
    POWERTOOLS_LOG_LEVEL: 'ERROR',
    // stdout belongs to the benchmark.
    POWERTOOLS_METRICS_DISABLED: 'true',
  };
}

/** The real index handler, in the environment of a deployment. */
export async function loadIndexHandler(urls: { openSearch: string; s3: string }): Promise<IndexHandler> {
  Object.assign(process.env, commonEnvironment(urls, 'bench'), { PARTIAL_BATCH_RESPONSE: 'false' });
  return (await import('../lambdas/index/handler.ts')).handler;
}
