import { Client } from '@opensearch-project/opensearch';

/** Longer than any bulk request of ours takes on a busy domain, shorter than a Lambda's time. */
const REQUEST_TIMEOUT_MS = 20_000;

/** An OpenSearch client that never retries by itself: what is tried again, and until when, is decided by us. */
export function createOpenSearch(url: string): Client {
  return new Client({ node: url, maxRetries: 0, requestTimeout: REQUEST_TIMEOUT_MS });
}
