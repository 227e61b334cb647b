type IndexHandler = typeof import('../lambdas/index/handler.ts')['handler'];

/** The real index handler, with the environment that a deployment would give it. */
export async function loadIndexHandler(urls: { openSearch: string; s3: string }): Promise<IndexHandler> {
  Object.assign(process.env, {
    OPENSEARCH_URL: urls.openSearch,
    LAKE_BUCKET: 'bench',
    PARTIAL_BATCH_RESPONSE: 'false',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_S3: urls.s3,
    POWERTOOLS_LOG_LEVEL: 'ERROR',
  });
  return (await import('../lambdas/index/handler.ts')).handler;
}
