import { Client, type ClientOptions } from '@opensearch-project/opensearch';
import { AwsSigv4Signer } from '@opensearch-project/opensearch/aws';
import { CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { lambdaCredentials } from '../aws/lambda-credentials.ts';
import type { OpenSearchEnvironment } from './environment.ts';

/** A user in the domain's internal user database. */
export interface OpenSearchUser {
  username: string;
  password: string;
}

export function createOpenSearchOf(environment: OpenSearchEnvironment): Client {
  const { OPENSEARCH_URL, OPENSEARCH_AUTH, AWS_REGION = '' } = environment;
  if (OPENSEARCH_AUTH === 'none') return createOpenSearch(OPENSEARCH_URL);
  return connect({
    node: OPENSEARCH_URL,
    ...AwsSigv4Signer({ region: AWS_REGION, service: 'es', getCredentials: lambdaCredentials }),
  });
}

/** Signs in as the user, if one is given. */
export function createOpenSearch(url: string, user?: OpenSearchUser): Client {
  return connect({ node: url, ...(user ? { auth: user } : {}) });
}

/** Without retries: the callers decide what to retry, and until when. */
function connect(options: ClientOptions): Client {
  return new Client({ ...options, maxRetries: 0, requestTimeout: CALL_TIMEOUTS_MS.openSearch });
}
