import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it, vi } from 'vitest';
import type { Endpoints } from '../../local/pipeline/endpoints.ts';
import { start } from '../integration/npm-start.ts';

describe('npm start on an empty folder', () => {
  it('starts its own engines alongside others, and stops them after a signal to its process group', async () => {
    const folder = mkdtempSync(join(inject('runFolder'), 'start-'));
    symlinkSync(inject('artifactsFolder'), join(folder, 'engines')); // already downloaded
    const run = start(['--folder', folder]);
    try {
      await vi.waitFor(() => expect(run.text()).toMatch(/poll 3 {2}/), { timeout: 240_000 });
      const { pids } = JSON.parse(readFileSync(join(folder, 'endpoints.json'), 'utf8')) as Endpoints;
      expect(Object.keys(pids).sort()).toEqual(['kafka', 'opensearch', 's3', 'start']);
      process.kill(-(run.child.pid as number), 'SIGTERM');
      expect(await run.ended, run.text()).toBe(0);
      for (const pid of Object.values(pids)) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    } finally {
      if (run.child.exitCode === null) process.kill(run.child.pid as number, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  }, 300_000);
});
