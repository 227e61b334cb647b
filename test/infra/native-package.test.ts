import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nativePackage } from '../../lib/functions/native-package.ts';

const NAME = '@duckdb/node-bindings-linux-arm64';

describe('a package that is compiled for Lambda', () => {
  const { PATH } = process.env;
  let folder: string;
  let kept: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'native-package-'));
    kept = join(folder, 'kept');
    mkdirSync(kept);
  });
  afterEach(() => {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true, force: true });
  });

  /** Replaces npm with a script. */
  function npmDoes(script: string): void {
    writeFileSync(join(folder, 'npm'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'npm'), 0o755);
    process.env.PATH = [folder, PATH].join(delimiter);
  }

  it('is refused, and not kept, if it is not the one of package-lock.json', () => {
    npmDoes('for last; do :; done; echo forged > "$last/package.tgz"');
    expect(() => nativePackage(NAME, kept)).toThrow(
      /needs @duckdb\/node-bindings-linux-arm64 \d\S+, compiled for Lambda.*: its hash is sha512-\S+, but package-lock\.json says sha512-/,
    );
    expect(readdirSync(kept)).toEqual([]);
  });

  it('that cannot be fetched fails with what npm says', () => {
    npmDoes('echo "npm error code ENOTFOUND" >&2; exit 1');
    expect(() => nativePackage(NAME, kept)).toThrow(/"npm pack" fetches once: .*\n?.*ENOTFOUND/s);
    expect(readdirSync(kept)).toEqual([]);
  });

  it('has to be in package-lock.json', () => {
    expect(() => nativePackage('@duckdb/nothing', kept)).toThrow('package-lock.json does not list');
  });
});
