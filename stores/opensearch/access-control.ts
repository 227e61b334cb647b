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

/*
 * Single actions where a group such as `crud` or `create_index` allows more than its name says: both let a function
 * change mappings.
 */
const READ = ['read'];
const REFRESH = ['indices:admin/refresh*'];
/** To create documents, and with the first one its index. */
const CREATE = ['indices:data/write/bulk*', 'indices:data/write/index', 'indices:admin/create'];
const DELETE_INDEX = 'indices:admin/delete';
const DELETE_DOCUMENTS = ['indices:data/write/delete'];
/** Requests about several indices or documents also need a permission for the request itself. */
const BULK = 'indices:data/write/bulk';
const GET_MANY = 'indices:data/read/mget';
const SCROLL = 'indices:data/read/scroll';

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
    [BULK],
    [[[...TICKERS, LATE_HOURS_INDEX], CREATE]],
  ),
  summarise: role(
    'Reads tickers and deletes whole months of them; writes candles and moves.',
    [BULK, GET_MANY],
    [
      [TICKERS, [...READ, ...REFRESH, 'indices:admin/get', DELETE_INDEX]],
      [SUMMARIES, [...READ, ...REFRESH, ...CREATE, ...DELETE_DOCUMENTS]],
    ],
  ),
  insights: role(
    'Reads everything that questions are answered from.',
    [],
    [[[...TICKERS, ...SUMMARIES], READ]],
  ),
  operate: role(
    'Checks the pipeline, adds missing tickers, makes months of them, candles and moves again.',
    [
      BULK,
      GET_MANY,
      SCROLL,
      'indices:data/read/scroll/clear',
      'cluster:monitor/health',
      'indices:admin/index_template/get',
    ],
    [
      [TICKERS, [...READ, ...REFRESH, ...CREATE, 'indices:admin/mappings/get', DELETE_INDEX]],
      [SUMMARIES, [...READ, ...REFRESH, ...CREATE, ...DELETE_DOCUMENTS]],
    ],
  ),
  watch: role('Checks how fresh tickers and summaries are.', [], [[[...TICKERS, SUMMARY_STATE], READ]]),
};

const READER_ROLE: Role = {
  ...role(
    'Reads Dashboards and its data.',
    // What Dashboards asks about several indices at once: panels, exports and the list of indices.
    [GET_MANY, 'indices:data/read/msearch', SCROLL, 'indices:admin/resolve/index'],
    [
      [
        [...TICKERS, ...SUMMARIES],
        [...READ, 'indices:admin/get', 'indices:admin/mappings/get', 'indices:monitor/stats'],
      ],
      [['.kibana*', '.opensearch_dashboards*'], ['read']],
    ],
  ),
  tenant_permissions: [{ tenant_patterns: ['global_tenant'], allowed_actions: ['kibana_all_read'] }],
};

/** Every request makes an event of these. */
const EVERYDAY = ['AUTHENTICATED', 'GRANTED_PRIVILEGES'];

/**
 * The audit log: failed sign-ins, refused requests, created and deleted indices, changes to users and roles.
 * It holds neither bodies, which may have passwords in them, nor the headers that sign in.
 * https://docs.aws.amazon.com/opensearch-service/latest/developerguide/audit-logs.html
 */
const AUDIT_LOG = {
  enabled: true,
  audit: {
    enable_rest: true,
    disabled_rest_categories: EVERYDAY,
    enable_transport: true,
    disabled_transport_categories: EVERYDAY,
    resolve_indices: true,
    resolve_bulk_requests: false,
    log_request_body: false,
    exclude_sensitive_headers: true,
    ignore_users: ['kibanaserver'],
    ignore_requests: [],
  },
  compliance: {
    enabled: true,
    internal_config: true,
    external_config: false,
    read_metadata_only: true,
    read_watched_fields: {},
    read_ignore_users: ['kibanaserver'],
    write_metadata_only: true,
    write_log_diffs: false,
    write_watched_indices: [],
    write_ignore_users: ['kibanaserver'],
  },
};

const nameOf = (of: string) => `crypto-market-insights-${of}`;

export interface AccessControl {
  /** ARN of each function's IAM role. */
  functionRoleArns: Readonly<Record<OpenSearchFunction, string>>;
  /** The read-only user. */
  reader: { username: string; password: string };
}

/** The audit log, roles, their mappings and the read-only user. */
export function accessControlSteps({ functionRoleArns, reader }: AccessControl): SetupStep[] {
  const step = (what: string, path: string, body: object) => ({
    what,
    path: `/_plugins/_security/api/${path}`,
    body,
  });
  return [
    step('the audit log', 'audit/config', AUDIT_LOG),
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
