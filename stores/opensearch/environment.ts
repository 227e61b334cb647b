import * as z from 'zod';

/** Environment variables of a function that uses OpenSearch. */
export const openSearchVariables = {
  OPENSEARCH_URL: z.url({ protocol: /^https?$/ }),
  /** `none`: a local server without sign-in. `iam`: sign requests with the function's role. */
  OPENSEARCH_AUTH: z.enum(['none', 'iam']).default('none'),
  /** Set by Lambda; needed for signing only. */
  AWS_REGION: z.string().optional(),
};

export interface OpenSearchEnvironment {
  OPENSEARCH_URL: string;
  OPENSEARCH_AUTH: 'none' | 'iam';
  AWS_REGION?: string | undefined;
}
