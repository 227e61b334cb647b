import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HASHED = ['--quiet', '--require-hashes', '--only-binary', ':all:'];

/** Python, or its package, could not be had; the message says what to install. */
export class PythonToolError extends Error {
  override readonly name = 'PythonToolError';
}

/**
 * The folder of executables of a virtual environment that holds what `test/python/<name>.txt` lists, each file checked
 * against its hash. It is made under `.local/` at the first use and kept. CONTRIBUTING.md says how to update the lists.
 * @throws PythonToolError
 */
export async function pythonTool(name: string): Promise<string> {
  return installed(name, async (folder, requirements) => {
    // Takes 2 seconds where pip takes 40.
    const uv = `${await installed('uv', withPip)}/uv`;
    await run(uv, ['venv', '--quiet', '--relocatable', '--no-python-downloads', folder]);
    await run(uv, ['pip', 'sync', ...HASHED, '--python', `${folder}/bin/python`, requirements]);
  });
}

async function withPip(folder: string, requirements: string): Promise<void> {
  await run('python3', ['-m', 'venv', folder]);
  await run(`${folder}/bin/python`, ['-m', 'pip', 'install', ...HASHED, '-r', requirements]);
}

type Install = (folder: string, requirements: string) => Promise<void>;

/** Installs aside, so that neither an interrupted install nor another process's looks complete. */
async function installed(name: string, install: Install): Promise<string> {
  const requirements = fileURLToPath(new URL(`${name}.txt`, import.meta.url));
  const version = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const folder = fileURLToPath(new URL(`../../.local/python/${name}-${version}`, import.meta.url));
  if (existsSync(folder)) return `${folder}/bin`;
  const aside = `${folder}.${randomUUID()}`;
  try {
    await install(aside, requirements);
    await rename(aside, folder);
  } catch (cause) {
    await rm(aside, { recursive: true, force: true });
    // Another process was faster.
    if (existsSync(folder)) return `${folder}/bin`;
    if (cause instanceof PythonToolError) throw cause;
    throw new PythonToolError(
      `${name} could not be installed: ${(cause as Error).message}. It needs Python 3.11 or later with venv ("apt install python3-venv") and PyPI.`,
      { cause },
    );
  }
  return `${folder}/bin`;
}
