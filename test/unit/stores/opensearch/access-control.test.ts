import { describe, expect, it } from 'vitest';
import { OPENSEARCH_FUNCTIONS } from '../../../../core/runtime/opensearch-functions.ts';
import { accessControlSteps } from '../../../../stores/opensearch/access-control.ts';
import { indexTemplates } from '../../../../stores/opensearch/index-templates.ts';

const functionRoleArns = {
  index: 'arn:aws:iam::1:role/index',
  summarise: 'arn:aws:iam::1:role/summarise',
  insights: 'arn:aws:iam::1:role/insights',
  operate: 'arn:aws:iam::1:role/operate',
  watch: 'arn:aws:iam::1:role/watch',
};
const steps = accessControlSteps({ functionRoleArns, reader: { username: 'reader', password: 'secret' } });

interface RoleBody {
  cluster_permissions: string[];
  index_permissions: { index_patterns: string[]; allowed_actions: string[] }[];
}
const bodyOf = (path: string) => steps.find((step) => step.path.endsWith(path))?.body as unknown as RoleBody;
const roleOf = (name: string) => bodyOf(`/roles/crypto-market-insights-${name}`);
const indexActions = (name: string) =>
  roleOf(name).index_permissions.flatMap(({ allowed_actions }) => allowed_actions);

describe('access control in OpenSearch', () => {
  it.each(OPENSEARCH_FUNCTIONS)('maps the IAM role of %s to its own role', (name) => {
    expect(bodyOf(`/rolesmapping/crypto-market-insights-${name}`)).toEqual({
      backend_roles: [functionRoleArns[name]],
    });
  });

  it('lets index only write tickers and the hours of late ones', () => {
    const [permission, ...others] = roleOf('index').index_permissions;
    expect(others).toEqual([]);
    expect(permission?.index_patterns).toEqual(['tickers', 'tickers-*', 'summaries-late']);
    expect(indexActions('index')).not.toContain('read');
  });

  it('lets insights, watch and the reader write nothing', () => {
    for (const name of ['insights', 'watch', 'reader']) {
      for (const action of indexActions(name)) expect(action).not.toMatch(/write|crud|create|delete|manage$/);
    }
  });

  it('lets watch only read tickers and the state of summarising', () => {
    const [permission, ...others] = roleOf('watch').index_permissions;
    expect(others).toEqual([]);
    expect(permission?.index_patterns).toEqual(['tickers', 'tickers-*', 'summaries*']);
  });

  it('gives nobody access to every index or every action', () => {
    for (const name of [...OPENSEARCH_FUNCTIONS, 'reader']) {
      const patterns = roleOf(name).index_permissions.flatMap(({ index_patterns }) => index_patterns);
      expect(patterns).not.toContain('*');
      expect([...roleOf(name).cluster_permissions, ...indexActions(name)]).not.toContain('*');
    }
  });

  it('gives requests by name, not a group of them, and the deletion of indices to retention and reindex alone', () => {
    for (const name of [...OPENSEARCH_FUNCTIONS, 'reader']) {
      for (const action of roleOf(name).cluster_permissions)
        expect(action, name).toMatch(/^(indices|cluster):/);
    }
    const deleting = OPENSEARCH_FUNCTIONS.filter((name) =>
      indexActions(name).includes('indices:admin/delete'),
    );
    expect(deleting.toSorted()).toEqual(['operate', 'summarise']);
  });

  it('switches the audit log on, without bodies and headers that could tell passwords', () => {
    expect(steps[0]).toMatchObject({
      path: '/_plugins/_security/api/audit/config',
      body: { enabled: true, audit: { log_request_body: false, exclude_sensitive_headers: true } },
    });
  });

  it('covers every index that has a template', () => {
    const templates = indexTemplates({ shards: 1, replicas: 0, refreshInterval: '1s' });
    const patterns = Object.values(templates).flatMap(({ index_patterns }) => index_patterns as string[]);
    const readable = roleOf('insights').index_permissions.flatMap(({ index_patterns }) => index_patterns);
    const covers = (wide: string, narrow: string) =>
      wide === narrow || (wide.endsWith('*') && narrow.startsWith(wide.slice(0, -1)));
    for (const pattern of patterns)
      expect(
        readable.some((wide) => covers(wide, pattern)),
        pattern,
      ).toBe(true);
  });

  it('creates the read-only user with its own role only', () => {
    expect(bodyOf('/internalusers/reader')).toEqual({
      password: 'secret',
      opendistro_security_roles: ['crypto-market-insights-reader'],
    });
  });
});
