import { Client, type ClientOptions } from '@opensearch-project/opensearch';
import { AwsSigv4Signer } from '@opensearch-project/opensearch/aws';
import * as z from 'zod';
import { CALL_TIMEOUTS_MS } from '../domain/budgets.ts';
import { lambdaCredentials } from './lambda-credentials.ts';

/** What a function that uses OpenSearch has in its environment. */
export const openSearchVariables = {
  OPENSEARCH_URL: z.url({ protocol: /^https?$/ }),
  /**
   * `none`: a server that wants no sign-in, on one machine. `iam`: requests are signed with the function's role,
   * which the domain maps to one of its own.
   */
  OPENSEARCH_AUTH: z.enum(['none', 'iam']).default('none'),
  /** Lambda sets it; only signing asks for it. */
  AWS_REGION: z.string().optional(),
};

/** {@link openSearchVariables}, read. */
export interface OpenSearchEnvironment {
  OPENSEARCH_URL: string;
  OPENSEARCH_AUTH: 'none' | 'iam';
  AWS_REGION?: string | undefined;
}

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
