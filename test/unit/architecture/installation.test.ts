import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const json = (file: string) => JSON.parse(readFileSync(`${ROOT}/${file}`, 'utf8'));

interface LockedPackage {
  integrity?: string;
  inBundle?: boolean;
}

describe('npm ci', () => {
  it('installs nothing whose hash is not in the lock file', () => {
    const packages = Object.entries<LockedPackage>(json('package-lock.json').packages);
    const unchecked = packages.filter(([path, { integrity, inBundle }]) => path && !integrity && !inBundle);
    expect(unchecked).toEqual([]);
  });

  it('runs no script of a package', () => {
    expect(readFileSync(`${ROOT}/.npmrc`, 'utf8').split('\n')).toContain('ignore-scripts=true');
  });
});

describe('a Node.js that is too old', () => {
  const commands: string[] = [json('cdk.json').app, ...Object.values(json('package.json').scripts)];
  const check = '--import ./node-version.js';

  it('is told to be so, whatever is started', () => {
    const typescript = commands.filter((command) => command.includes('.ts'));
    expect(typescript.length).toBeGreaterThan(20);
    expect(typescript.filter((command) => !command.includes(`node ${check} `))).toEqual([]);
  });

  it('is named, with what to do', async () => {
    const isOld = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '22.23.3' })`;
    const args = ['--import', isOld, ...check.split(' '), 'cli/main.ts'];
    const [code, stderr] = await new Promise<[unknown, string]>((resolve) => {
      execFile(process.execPath, args, { cwd: ROOT }, (error, _, text) => resolve([error?.code, text]));
    });
    expect(stderr).toContain(`Node.js 24 or later is needed, but ${process.execPath} is`);
    expect(stderr).toContain('"nvm install 24"');
    expect(code).toBe(1);
  });
});
