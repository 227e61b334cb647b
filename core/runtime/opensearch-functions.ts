/** The functions that sign in to OpenSearch, each with its own role there. */
export const OPENSEARCH_FUNCTIONS = ['index', 'summarise', 'insights', 'operate', 'watch'] as const;

export type OpenSearchFunction = (typeof OPENSEARCH_FUNCTIONS)[number];
