import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { savedObjects } from '../../../../charts/saved-objects.ts';
import { backupKey, setUpDashboards } from '../../../../lambdas/setup/dashboards.ts';
import { DashboardsApi } from '../../../../stores/opensearch/dashboards-api.ts';
import { type DashboardsServer, startDashboardsServer } from './dashboards-server.ts';

let dashboards: DashboardsServer;
let backups: string[];

beforeEach(async () => {
  dashboards = await startDashboardsServer('/_dashboards');
  backups = [];
});
afterEach(() => dashboards.close());

const setUp = (patienceMs = 5_000) =>
  setUpDashboards({
    url: dashboards.url,
    user: { username: 'master', password: 'secret' },
    deadlineMs: Date.now() + patienceMs,
    keepBackup: async (ndjson) => {
      backups.push(ndjson);
    },
  });

const contents = () => Object.fromEntries(dashboards.objects);

describe('importing the saved objects', () => {
  it('imports all of them, and changes nothing the second time', async () => {
    expect(await setUp()).toBe(savedObjects().length);
    const once = contents();
    expect(Object.keys(once)).toHaveLength(savedObjects().length);
    expect(await setUp()).toBe(savedObjects().length);
    expect(contents()).toEqual(once);
  });

  it('backs up what it replaces, so that it can be imported again', async () => {
    await setUp();
    expect(backups).toEqual([]);
    const [edited] = dashboards.objects.values();
    if (edited) edited.attributes = { ...edited.attributes, title: 'edited by somebody' };
    await setUp();
    expect(backups).toHaveLength(1);
    const lines = (backups[0] ?? '').trimEnd().split('\n');
    expect(lines).toHaveLength(savedObjects().length);
    expect(backups[0]).toContain('edited by somebody');
    const api = new DashboardsApi({ url: dashboards.url, deadlineMs: Date.now() + 5_000 });
    expect(await api.import(backups[0] ?? '')).toEqual({ imported: lines.length, failures: [] });
    expect(JSON.stringify(contents())).toContain('edited by somebody');
  });

  it('replaces nothing if the backup fails', async () => {
    await setUp();
    const before = contents();
    const failing = setUpDashboards({
      url: dashboards.url,
      deadlineMs: Date.now() + 5_000,
      keepBackup: () => Promise.reject(new Error('the bucket is gone')),
    });
    await expect(failing).rejects.toThrow('the bucket is gone');
    expect(contents()).toEqual(before);
    expect(dashboards.requests.filter(({ path }) => path.includes('_import'))).toHaveLength(1);
  });

  it('leaves other objects alone', async () => {
    const theirs = { type: 'dashboard', id: 'theirs', attributes: { title: 'Theirs' }, references: [] };
    dashboards.objects.set('dashboard:theirs', theirs);
    await setUp();
    await setUp();
    expect(dashboards.objects.get('dashboard:theirs')).toEqual(theirs);
    expect(backups.join()).not.toContain('Theirs');
  });

  it('signs in and uses the shared tenant', async () => {
    await setUp();
    expect(dashboards.requests.length).toBeGreaterThan(1);
    for (const { headers } of dashboards.requests) {
      expect(headers).toMatchObject({
        'osd-xsrf': 'true',
        securitytenant: 'global',
        authorization: `Basic ${Buffer.from('master:secret').toString('base64')}`,
      });
    }
  });

  it('waits for a Dashboards that is still starting', async () => {
    dashboards.failNext.push(503, 429, 502);
    expect(await setUp()).toBe(savedObjects().length);
  });

  it('reports which objects were refused, and why', async () => {
    const api = new DashboardsApi({ url: dashboards.url, deadlineMs: Date.now() + 5_000 });
    const dashboard = savedObjects().filter(({ type }) => type === 'dashboard');
    const { imported, failures } = await api.import(`${JSON.stringify(dashboard[0])}\n`);
    expect(imported).toBe(0);
    expect(failures).toEqual([
      {
        type: 'dashboard',
        id: 'crypto-market-insights-overview',
        title: 'Crypto market insights',
        reason: expect.stringMatching(/^missing_references: visualization crypto-market-insights-controls, /),
      },
    ]);
  });

  it('reports a wrong sign-in without the password', async () => {
    dashboards.failNext.push(401);
    const error = await setUp().catch((reason: Error) => reason);
    expect(error).toMatchObject({ name: 'DashboardsApiError', message: expect.stringContaining('sign-in') });
    expect(String(error)).not.toContain('secret');
  });

  it('reports that Dashboards does not answer', async () => {
    await dashboards.close();
    await expect(setUp(300)).rejects.toMatchObject({
      name: 'DashboardsApiError',
      message: expect.stringMatching(/^Dashboards at .* gave no answer: .*ECONNREFUSED/),
    });
  });
});

describe('a backup', () => {
  it('has its time in its key, under a prefix of its own', () => {
    expect(backupKey(new Date('2026-03-01T12:00:00Z'))).toBe(
      'backups/dashboards/2026-03-01T12-00-00.000Z.ndjson',
    );
  });
});
