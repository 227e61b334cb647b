import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess, isSameProcess, type ProcessIdentity } from '../engines/process-identity.ts';

/** Another pipeline is running in the same folder. */
export class PipelineRunningError extends Error {
  override readonly name = 'PipelineRunningError';

  constructor(folder: string, holder: ProcessIdentity & { since: string }) {
    super(
      `A pipeline is already running in ${folder} (process ${holder.pid}, since ${holder.since} UTC). ` +
        `Stop it with Ctrl-C in its terminal or "kill ${holder.pid}", then try again.`,
    );
  }
}

/** Held by the only process that may use a folder's data. */
export interface Lock {
  release(): void;
}

/**
 * Takes the folder's lock, or takes it over from a process that was killed.
 * @param folder e.g. `.local`; created if absent
 * @throws PipelineRunningError
 */
export function takeLock(folder: string): Lock {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'lock.json');
  const text = JSON.stringify({ ...identifyProcess(process.pid), since: new Date().toISOString() });
  for (;;) {
    try {
      writeFileSync(file, text, { flag: 'wx' });
      return { release: () => rmSync(file, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readHolder(file);
    if (holder && isSameProcess(holder)) throw new PipelineRunningError(folder, holder);
    rmSync(file, { force: true });
  }
}

/** Whether a running process holds the folder's lock. */
export function isLocked(folder: string): boolean {
  const holder = readHolder(join(folder, 'lock.json'));
  return holder !== undefined && isSameProcess(holder);
}

function readHolder(file: string): (ProcessIdentity & { since: string }) | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // just released, or incomplete after a kill
  }
}
