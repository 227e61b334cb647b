import { beforeAll, expect, it } from 'vitest';
import { OPENSEARCH_FUNCTIONS, type OpenSearchFunction } from '../../core/runtime/opensearch-functions.ts';
import { eventually } from './eventually.ts';
import type { Stage } from './stage.ts';

type Who = OpenSearchFunction | 'reader';
type Request = readonly [method: string, path: string, body?: object];

/** Empty indices that exist, so that a refusal is not about a missing index. */
const INDICES = ['tickers-2031.01', 'candles-2031', 'foreign'];
const [TICKERS, CANDLES, FOREIGN] = INDICES.map((name) => `/${name}`);

/** Nobody but the admin user may do any of this. */
const EVERYBODY: Request[] = [
  ['GET', '/_plugins/_security/api/roles'],
  ['PUT', '/_plugins/_security/api/roles/more', { cluster_permissions: ['*'] }],
  ['PUT', '/_plugins/_security/api/rolesmapping/all_access', { backend_roles: ['*'] }],
  ['PUT', '/_plugins/_security/api/internalusers/other', { password: 'aPasswordThatIs-strong3nough' }],
  ['GET', '/.opendistro_security/_search'],
  ['PUT', '/_cluster/settings', { transient: { 'cluster.routing.allocation.enable': 'none' } }],
  ['PUT', '/_index_template/other', { index_patterns: ['tickers-*'], priority: 1_000 }],
  ['DELETE', '/_index_template/crypto-market-insights-tickers'],
  ['PUT', '/_snapshot/copy', { type: 'fs', settings: { location: 'copy' } }],
  ['PUT', '/_scripts/any', { script: { lang: 'painless', source: '1' } }],
  ['POST', '/.kibana/_doc', { type: 'dashboard' }],
  ['GET', `${FOREIGN}/_search`],
  ['POST', `${FOREIGN}/_doc`, {}],
  ['DELETE', `${FOREIGN}`],
];

const readsOf = (index: string | undefined): Request[] => [
  ['GET', `${index}/_search`],
  ['GET', `${index}/_doc/1`],
  ['GET', `${index}/_count`],
];
const changesOf = (index: string | undefined): Request[] => [
  ['POST', `${index}/_doc`, {}],
  ['POST', `${index}/_update/1`, { doc: {} }],
  ['POST', `${index}/_update_by_query`, {}],
];
const deletionsIn = (index: string | undefined): Request[] => [
  ['DELETE', `${index}/_doc/1`],
  ['POST', `${index}/_delete_by_query`, { query: { match_all: {} } }],
];
/** The first request deletes an index, which two functions may do with months of tickers. */
const managementOf = (index: string | undefined): Request[] => [
  ['DELETE', `${index}`],
  ['POST', `${index}/_close`],
  ['PUT', `${index}/_settings`, { index: { number_of_replicas: 0 } }],
  ['PUT', `${index}/_mapping`, { properties: { more: { type: 'keyword' } } }],
  ['PUT', `${index}/_alias/other`],
];
const STATE = '/summaries-state';
const OURS = [TICKERS, CANDLES, '/moves', STATE];
const everyChange = OURS.flatMap((index) => [
  ...changesOf(index),
  ...deletionsIn(index),
  ...managementOf(index),
]);

const BY_ROLE: Record<Who, Request[]> = {
  index: [
    ['GET', '/_cluster/health'],
    ...OURS.flatMap(readsOf),
    ...[CANDLES, '/moves', STATE].flatMap(changesOf),
    ...OURS.flatMap((index) => [...deletionsIn(index), ...managementOf(index)]),
    ['POST', `${TICKERS}/_update/1`, { doc: {} }],
  ],
  summarise: [
    ['GET', '/_cluster/health'],
    ...changesOf(TICKERS),
    ...deletionsIn(TICKERS),
    ...managementOf(TICKERS).slice(1),
    ...[CANDLES, '/moves', STATE].flatMap(managementOf),
  ],
  insights: [['GET', '/_cluster/health'], ...everyChange],
  watch: [['GET', '/_cluster/health'], ...[CANDLES, '/moves'].flatMap(readsOf), ...everyChange],
  operate: [
    ...deletionsIn(TICKERS),
    ...managementOf(TICKERS).slice(1),
    ...[CANDLES, '/moves', STATE].flatMap(managementOf),
    ['GET', '/_cluster/settings'],
    ['POST', '/_reindex', { source: { index: 'candles-2031' }, dest: { index: 'candles-2032' } }],
  ],
  reader: [['GET', '/_cluster/settings'], ...everyChange],
};

/** Tries, as each role, everything that no role may do. */
export function mustNot(stage: () => Stage): void {
  beforeAll(async () => {
    for (const index of INDICES) await stage().local.openSearch.indices.create({ index });
  });

  it.each<Who>([...OPENSEARCH_FUNCTIONS, 'reader'])(
    '%s is refused everything that it must not do',
    async (who) => {
      const allowed: string[] = [];
      for (const [method, path, body] of [...EVERYBODY, ...BY_ROLE[who]]) {
        const status = await stage().ask(who, method, path, body && JSON.stringify(body));
        if (status !== 403) allowed.push(`${method} ${path} (${status})`);
      }
      expect(allowed).toEqual([]);
    },
  );

  it('the reader reads what Dashboards show', async () => {
    const several = OURS.slice(0, 2).map((index) => `{"index":"${index?.slice(1)}"}\n{"size":0}\n`);
    expect(await stage().ask('reader', 'POST', '/_msearch', several.join(''))).toBe(200);
    expect(await stage().ask('reader', 'GET', '/_resolve/index/tickers-*')).toBe(200);
    expect(await stage().ask('reader', 'GET', `${TICKERS}/_search?scroll=1m`)).toBe(200);
    for (const [method, path] of OURS.flatMap(readsOf)) {
      if (path.includes('/_doc/')) continue;
      expect(await stage().ask('reader', method, path), path).toBe(200);
    }
  });

  it('the audit log, which is on only since setup, says who was refused', async () => {
    const must = [
      { match: { audit_category: 'MISSING_PRIVILEGES' } },
      { match: { audit_request_effective_user: 'reader' } },
    ];
    const search = () =>
      stage().local.openSearch.search({
        index: 'security-auditlog-*',
        body: { query: { bool: { must } }, size: 100 },
      });
    const { body } = await eventually(search, ({ body }) => body.hits.hits.length > 0);
    expect(JSON.stringify(body.hits.hits)).not.toMatch(/audit_request_body|"authorization"/i);
  });
}
