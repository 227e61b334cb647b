/**
 * Who may do what in a domain with fine-grained access control: a role for each function with the least it needs,
 * mapped to the function's IAM role, and a user who may look but not touch.
 * Names of actions and action groups: https://docs.opensearch.org/latest/security/access-control/permissions/
 */
import { CANDLE_INDICES, MOVES_INDEX, TICKER_INDICES } from '../../core/market/index-names.ts';
import type { SetupStep } from './steps.ts';

/** The functions that sign in to OpenSearch with a role of their own. */
export const OPENSEARCH_FUNCTIONS = ['index', 'summarise', 'insights', 'operate', 'watch'] as const;

export type OpenSearchFunction = (typeof OPENSEARCH_FUNCTIONS)[number];

interface IndexPermission {
  index_patterns: string[];
  allowed_actions: string[];
}

interface Role {
  description: string;
  cluster_permissions: string[];
  index_permissions: IndexPermission[];
  tenant_permissions: { tenant_patterns: string[]; allowed_actions: string[] }[];
}

/** Everything that the pipeline keeps. */
const TICKERS = ['tickers', TICKER_INDICES];
const SUMMARY_STATE = 'summaries*';
const SUMMARIES = ['candles', CANDLE_INDICES, MOVES_INDEX, SUMMARY_STATE];

const READ = ['read', 'indices:admin/get', 'indices:admin/mappings/get', 'indices:monitor/stats'];
/** A bulk request makes an index that is not there with an action of its own. */
const CREATE_INDEX = ['create_index', 'indices:admin/auto_create'];
const WRITE = ['crud', ...CREATE_INDEX, 'indices:admin/refresh*'];
/** Searches that page through a frozen view of the indices. */
const POINT_IN_TIME = 'manage_point_in_time';

const role = (
  description: string,
  cluster_permissions: string[],
  index_permissions: [patterns: string[], actions: string[]][],
): Role => ({
  description,
  cluster_permissions,
  index_permissions: index_permissions.map(([index_patterns, allowed_actions]) => ({
    index_patterns,
    allowed_actions,
  })),
  tenant_permissions: [],
});

const FUNCTION_ROLES: Record<OpenSearchFunction, Role> = {
  index: role(
    'Creates tickers, reads nothing.',
    ['indices:data/write/bulk'],
    [[TICKERS, [...CREATE_INDEX, 'indices:data/write/bulk*', 'indices:data/write/index']]],
  ),
  summarise: role(
    'Reads tickers and deletes whole months of them; keeps candles and moves.',
    ['cluster_composite_ops', POINT_IN_TIME],
    [
      [TICKERS, [...READ, 'indices:admin/delete', 'indices:admin/refresh*']],
      [SUMMARIES, [...READ, ...WRITE]],
    ],
  ),
  insights: role(
    'Reads what questions are answered from.',
    ['cluster_composite_ops_ro', POINT_IN_TIME],
    [[[...TICKERS, ...SUMMARIES], READ]],
  ),
  operate: role(
    'Checks, repairs and makes again whatever the pipeline keeps.',
    ['cluster_composite_ops', 'cluster_monitor', 'indices:admin/index_template/get', POINT_IN_TIME],
    [
      [
        [...TICKERS, ...SUMMARIES],
        [...READ, ...WRITE, 'manage'],
      ],
    ],
  ),
  watch: role('Looks how fresh tickers and summaries are.', [], [[[...TICKERS, SUMMARY_STATE], READ]]),
};

const READER_ROLE: Role = {
  ...role(
    'A person who looks at Dashboards.',
    ['cluster_composite_ops_ro'],
    [
      [[...TICKERS, ...SUMMARIES], READ],
      [['.kibana*', '.opensearch_dashboards*'], ['read']],
    ],
  ),
  tenant_permissions: [{ tenant_patterns: ['global_tenant'], allowed_actions: ['kibana_all_read'] }],
};

const nameOf = (of: string) => `crypto-market-insights-${of}`;

export interface AccessControl {
  /** ARN of each function's IAM role. */
  functionRoleArns: Readonly<Record<OpenSearchFunction, string>>;
  /** The user who may only look. */
  reader: { username: string; password: string };
}

/** What setup puts through the security API; each is safe to put again. */
export function accessControlSteps({ functionRoleArns, reader }: AccessControl): SetupStep[] {
  const api = '/_plugins/_security/api';
  const roles: Record<string, Role> = {
    ...Object.fromEntries(OPENSEARCH_FUNCTIONS.map((name) => [nameOf(name), FUNCTION_ROLES[name]])),
    [nameOf('reader')]: READER_ROLE,
  };
  return [
    ...Object.entries(roles).map(([name, body]) => ({
      what: `the role ${name}`,
      path: `${api}/roles/${name}`,
      body,
    })),
    ...OPENSEARCH_FUNCTIONS.map((name) => ({
      what: `the mapping of the role ${nameOf(name)}`,
      path: `${api}/rolesmapping/${nameOf(name)}`,
      body: { backend_roles: [functionRoleArns[name]] },
    })),
    {
      what: `the user ${reader.username}`,
      path: `${api}/internalusers/${reader.username}`,
      body: { password: reader.password, opendistro_security_roles: [nameOf('reader')] },
    },
  ];
}
