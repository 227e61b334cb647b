import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type Ended, runHere } from '../../run-here.ts';

const MAIN = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
const { scripts } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  scripts: Record<string, string>;
};
const COMMANDS = Object.values(scripts).flatMap((script) => /cli\/main\.ts (\w+)/.exec(script)?.[1] ?? []);

async function commandNamed(name: string): Promise<Command> {
  return ((await import(`../../../cli/commands/${name}.ts`)) as { command: Command }).command;
}

/** In a process of its own, as a user does. */
function run(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) =>
      resolve({ code: (error?.code as number | undefined) ?? 0, stdout, stderr }),
    );
  });
}

describe('the command line', { timeout: 60_000 }, () => {
  it('has every command that package.json names, and lists it', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    const files = readdirSync(new URL('../../../cli/commands/', import.meta.url));
    expect([...new Set(COMMANDS)].sort()).toEqual(files.map((file) => file.replace('.ts', '')).sort());
    for (const name of COMMANDS) {
      expect(scripts[name]).toContain(`cli/main.ts ${name}`);
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
      expect((await commandNamed(name)).name()).toBe(name);
    }
  });

  it('shows what to type', async () => {
    const [start, insights] = [await commandNamed('start'), await commandNamed('insights')];
    expect((await runHere(start, '--help')).stdout).toMatch(/^Usage: npm start -- \[options\]$/m);
    expect((await runHere(insights, 'average', '--help')).stdout).toMatch(
      /^Usage: npm run insights -- average \[options\] <symbol>$/m,
    );
  });

  it('ends with 2 after bad usage, so that 1 is always a finding', async () => {
    expect(await run('insights', 'average')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("missing required argument 'symbol'"),
    });
  });

  it.each([
    ['verify', ['--nosuch'], "unknown option '--nosuch'"],
    ['rebuild', ['--from', '2018-02-30'], '2018-02-30'],
    [
      'dashboards',
      ['--out', '/dev/null', '--from', '2018-08-01', '--to', '2018-07-01'],
      'is not before --to 2018-07-01',
    ],
  ])('ends %s %j with 2, and says why', async (name, args, why) => {
    const ended = await runHere(await commandNamed(name), ...args);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining(why) });
  });
});
