import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const CFN_LINT_VERSION = '1.58.0';

/** Python, or its package, could not be had; the message says what to install. */
export class PythonToolError extends Error {
  override readonly name = 'PythonToolError';
}

/**
 * The folder of executables of a virtual environment that holds one package of PyPI at one version; it is made
 * under `.local/` at the first use and kept.
 * @param beside requirements that hold its dependencies at a version too
 * @throws PythonToolError
 */
export async function pythonTool(
  name: string,
  version: string,
  beside: readonly string[] = [],
): Promise<string> {
  const folder = fileURLToPath(new URL(`../../.local/python/${name}-${version}`, import.meta.url));
  // The last thing written: an interrupted install leaves nothing that looks like one.
  const complete = `${folder}/complete`;
  if (existsSync(complete)) return `${folder}/bin`;
  try {
    await rm(folder, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', folder]);
    await run(`${folder}/bin/python`, ['-m', 'pip', 'install', '--quiet', `${name}==${version}`, ...beside]);
    await writeFile(complete, '');
  } catch (cause) {
    throw new PythonToolError(
      `${name} ${version} could not be installed: ${(cause as Error).message}. It needs Python 3 with venv ("apt install python3-venv") and PyPI.`,
      { cause },
    );
  }
  return `${folder}/bin`;
}
