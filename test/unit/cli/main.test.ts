import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
const { scripts } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>;
};
const COMMANDS = Object.values(scripts).flatMap((script) => /cli\/main\.ts (\w+)/.exec(script)?.[1] ?? []);

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) =>
      resolve({ code: (error?.code as number | undefined) ?? 0, stdout, stderr }),
    );
  });
}

// Each spawns a process, or loads every command.
describe('the command line', { timeout: 60_000 }, () => {
  it('has every command that package.json names, and lists it', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    const files = readdirSync(new URL('../../../cli/commands/', import.meta.url));
    expect([...new Set(COMMANDS)].sort()).toEqual(files.map((file) => file.replace('.ts', '')).sort());
    for (const name of COMMANDS) {
      expect(scripts[name]).toContain(`cli/main.ts ${name}`);
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
      const module = (await import(`../../../cli/commands/${name}.ts`)) as { command: Command };
      expect(module.command.name()).toBe(name);
    }
  });

  it('shows what to type', async () => {
    const [start, average] = await Promise.all([
      run('start', '--help'),
      run('insights', 'average', '--help'),
    ]);
    expect(start.stdout).toMatch(/^Usage: npm start -- \[options\]$/m);
    expect(average.stdout).toMatch(/^Usage: npm run insights -- average \[options\] <symbol>$/m);
  });

  it('ends with 2 after bad usage, so that 1 is always a finding', async () => {
    const runs = [
      run('verify', '--nosuch'),
      run('insights', 'average'),
      run('rebuild', '--from', '2018-02-30'),
      run('dashboards', '--out', '/dev/null', '--from', '2018-08-01', '--to', '2018-07-01'),
    ];
    expect(await Promise.all(runs)).toMatchObject([
      { code: 2, stderr: expect.stringContaining("unknown option '--nosuch'") },
      { code: 2, stderr: expect.stringContaining("missing required argument 'symbol'") },
      { code: 2, stderr: expect.stringContaining('2018-02-30') },
      { code: 2, stderr: expect.stringContaining('is not before --to 2018-07-01') },
    ]);
  });
});
