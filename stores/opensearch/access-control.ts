/**
 * Roles for a domain with fine-grained access control: one for each function, with the least it needs, mapped to the
 * function's IAM role; and a read-only user.
 * Names of actions and action groups: https://docs.opensearch.org/latest/security/access-control/permissions/
 */
import {
  CANDLE_INDICES,
  LATE_HOURS_INDEX,
  MOVES_INDEX,
  TICKER_INDICES,
} from '../../core/market/index-names.ts';
import { OPENSEARCH_FUNCTIONS, type OpenSearchFunction } from '../../core/runtime/opensearch-functions.ts';
import type { SetupStep } from './index-templates.ts';

interface Role {
  description: string;
  cluster_permissions: string[];
  index_permissions: { index_patterns: string[]; allowed_actions: string[] }[];
  tenant_permissions: { tenant_patterns: string[]; allowed_actions: string[] }[];
}

const TICKERS = ['tickers', TICKER_INDICES];
const SUMMARY_STATE = 'summaries*';
const SUMMARIES = ['candles', CANDLE_INDICES, MOVES_INDEX, SUMMARY_STATE];

const READ = ['read', 'indices:admin/get', 'indices:admin/mappings/get', 'indices:monitor/stats'];
/** A bulk request that creates an index needs an action of its own. */
const CREATE_INDEX = ['create_index', 'indices:admin/auto_create'];
const WRITE = ['crud', ...CREATE_INDEX, 'indices:admin/refresh*'];
/** Lets a search page through a frozen view of the indices. */
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
    'Creates tickers and records which hours they come late for; reads nothing.',
    ['indices:data/write/bulk'],
    [
      [
        [...TICKERS, LATE_HOURS_INDEX],
        [...CREATE_INDEX, 'indices:data/write/bulk*', 'indices:data/write/index'],
      ],
    ],
  ),
  summarise: role(
    'Reads tickers and deletes whole months of them; writes candles and moves.',
    ['cluster_composite_ops', POINT_IN_TIME],
    [
      [TICKERS, [...READ, 'indices:admin/delete', 'indices:admin/refresh*']],
      [SUMMARIES, [...READ, ...WRITE]],
    ],
  ),
  insights: role(
    'Reads everything that questions are answered from.',
    ['cluster_composite_ops_ro', POINT_IN_TIME],
    [[[...TICKERS, ...SUMMARIES], READ]],
  ),
  operate: role(
    'Checks, repairs and rebuilds everything the pipeline stores.',
    ['cluster_composite_ops', 'cluster_monitor', 'indices:admin/index_template/get', POINT_IN_TIME],
    [
      [
        [...TICKERS, ...SUMMARIES],
        [...READ, ...WRITE, 'manage'],
      ],
    ],
  ),
  watch: role('Checks how fresh tickers and summaries are.', [], [[[...TICKERS, SUMMARY_STATE], READ]]),
};

const READER_ROLE: Role = {
  ...role(
    'Reads Dashboards and its data.',
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
  /** The read-only user. */
  reader: { username: string; password: string };
}

/** Roles, their mappings and the read-only user. */
export function accessControlSteps({ functionRoleArns, reader }: AccessControl): SetupStep[] {
  const step = (what: string, path: string, body: object) => ({
    what,
    path: `/_plugins/_security/api/${path}`,
    body,
  });
  return [
    ...Object.entries<Role>({ ...FUNCTION_ROLES, reader: READER_ROLE }).map(([name, body]) =>
      step(`the role ${nameOf(name)}`, `roles/${nameOf(name)}`, body),
    ),
    ...OPENSEARCH_FUNCTIONS.map((name) =>
      step(`the mapping of the role ${nameOf(name)}`, `rolesmapping/${nameOf(name)}`, {
        backend_roles: [functionRoleArns[name]],
      }),
    ),
    step(`the user ${reader.username}`, `internalusers/${reader.username}`, {
      password: reader.password,
      opendistro_security_roles: [nameOf('reader')],
    }),
  ];
}
