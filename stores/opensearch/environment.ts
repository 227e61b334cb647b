import * as z from 'zod';

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
