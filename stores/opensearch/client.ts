import { Client, type ClientOptions } from '@opensearch-project/opensearch';
import { AwsSigv4Signer } from '@opensearch-project/opensearch/aws';
import { CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { lambdaCredentials } from '../aws/lambda-credentials.ts';
import type { OpenSearchEnvironment } from './environment.ts';

/** A user of the domain's own user database. */
export interface OpenSearchUser {
  username: string;
  password: string;
}

/** The OpenSearch client that the environment describes. */
export function createOpenSearchOf(environment: OpenSearchEnvironment): Client {
  const { OPENSEARCH_URL, OPENSEARCH_AUTH, AWS_REGION = '' } = environment;
  if (OPENSEARCH_AUTH === 'none') return createOpenSearch(OPENSEARCH_URL);
  return connect({
    node: OPENSEARCH_URL,
    ...AwsSigv4Signer({ region: AWS_REGION, service: 'es', getCredentials: lambdaCredentials }),
  });
}

/** A client of a server that wants no sign-in, or a user's. */
export function createOpenSearch(url: string, user?: OpenSearchUser): Client {
  return connect({ node: url, ...(user ? { auth: user } : {}) });
}

/** It never retries by itself: what is tried again, and until when, is decided by us. */
function connect(options: ClientOptions): Client {
  return new Client({ ...options, maxRetries: 0, requestTimeout: CALL_TIMEOUTS_MS.openSearch });
}
