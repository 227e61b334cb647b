import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest';
import type { Endpoints } from '../../local/pipeline/endpoints.ts';
import { BUCKET } from '../../local/pipeline/resources.ts';
import { recordsOf } from '../integration/lambdas/stores.ts';
import { ON_SHARED_ENGINES, start } from '../integration/npm-start.ts';
import { clearLake, clearTickers, openSearch } from '../integration/services.ts';

let folder: string;
let runs: ReturnType<typeof start>[];
const startHere = (...args: string[]) => {
  const run = start([...args, '--folder', folder]);
  runs.push(run);
  return run;
};
const untilItSays = (run: ReturnType<typeof start>, text: RegExp) =>
  vi.waitFor(() => expect(run.text()).toMatch(text), { timeout: 240_000 });

beforeEach(() => {
  folder = mkdtempSync(join(inject('runFolder'), 'start-'));
  runs = [];
});
afterEach(() => {
  for (const { child } of runs) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
});

it('npm start on an empty folder starts its own engines alongside others, and stops them after a signal to its process group', async () => {
  symlinkSync(inject('artifactsFolder'), join(folder, 'engines')); // already downloaded
  const run = startHere();
  await untilItSays(run, /poll 3 {2}/);
  const { pids } = JSON.parse(readFileSync(join(folder, 'endpoints.json'), 'utf8')) as Endpoints;
  expect(Object.keys(pids).sort()).toEqual(['kafka', 'opensearch', 's3', 'start']);
  process.kill(-(run.child.pid as number), 'SIGTERM');
  expect(await run.ended, run.text()).toBe(0);
  for (const pid of Object.values(pids)) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
}, 300_000);

it('npm start killed with -9 and started again loses and duplicates nothing', async () => {
  await clearLake();
  await clearTickers();
  const killed = startHere('--polls', '1000', ...ON_SHARED_ENGINES);
  await untilItSays(killed, /poll 5 of/);
  killed.child.kill('SIGKILL');
  await killed.ended;
  const next = startHere('--polls', '5', '--json', ...ON_SHARED_ENGINES);
  expect(await next.ended, next.text()).toBe(0);
  const ids = (await recordsOf(BUCKET, 'tickers/')).map(({ exchange, category, symbol, slot }) =>
    [exchange, category, symbol, slot].join(),
  );
  expect(new Set(ids).size).toBe(ids.length);
  await openSearch.indices.refresh({ index: 'tickers-*' });
  expect((await openSearch.count({ index: 'tickers-*' })).body.count).toBe(ids.length);
  expect(next.report().agree).toBe(true);
}, 300_000);
