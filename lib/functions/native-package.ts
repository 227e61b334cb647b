import { execFileSync } from 'node:child_process';
import { hash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));
/** Packages as npm publishes them, by their hash in package-lock.json. */
export const NATIVE_PACKAGES = join(project, '.local/native-packages');

/** A package for Lambda's processor is not available; the message says what to do. */
export class NativePackageError extends Error {
  override readonly name = 'NativePackageError';
}

/**
 * The archive of a package that is compiled for another kind of machine, which npm does not install here. npm
 * fetches it once, with the user's own registry and credentials.
 * @param folder where it is kept
 * @throws NativePackageError unless it has the hash that package-lock.json says
 */
export function nativePackage(name: string, folder = NATIVE_PACKAGES): string {
  const { version, integrity } = lockedPackage(name);
  const archive = join(folder, `${integrity.replace(/[^A-Za-z0-9]/g, '').slice(0, 24)}.tgz`);
  if (existsSync(archive) && integrityOf(archive) === integrity) return archive;
  const aside = join(folder, randomUUID());
  mkdirSync(aside, { recursive: true });
  try {
    const args = [
      'pack',
      `${name}@${version}`,
      '--ignore-scripts',
      '--loglevel=error',
      '--pack-destination',
      aside,
    ];
    execFileSync('npm', args, { cwd: project, stdio: ['ignore', 'ignore', 'pipe'] });
    const packed = join(aside, readdirSync(aside)[0] as string);
    const found = integrityOf(packed);
    if (found !== integrity) {
      throw new Error(`its hash is ${found}, but package-lock.json says ${integrity}`);
    }
    renameSync(packed, archive);
    return archive;
  } catch (cause) {
    throw new NativePackageError(
      `The function that compacts the lake needs ${name} ${version}, compiled for Lambda, which "npm pack" fetches once: ${(cause as Error).message}`,
      { cause },
    );
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** Unpacks it where code in the folder finds it. */
function unpackInto(folder: string, name: string): void {
  const target = join(folder, 'node_modules', name);
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', nativePackage(name), '--strip-components=1', '-C', target]);
}

function lockedPackage(name: string): { version: string; integrity: string } {
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
  const locked = lock.packages[`node_modules/${name}`];
  if (!locked) throw new NativePackageError(`package-lock.json does not list ${name}.`);
  return locked;
}

/** As package-lock.json has it. */
function integrityOf(file: string): string {
  return `sha512-${hash('sha512', readFileSync(file), 'base64')}`;
}

if (import.meta.main) {
  const [folder, ...names] = process.argv.slice(2) as [string, ...string[]];
  try {
    for (const name of names) unpackInto(folder, name);
  } catch (error) {
    if (!(error instanceof NativePackageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
